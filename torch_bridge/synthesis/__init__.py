"""Parts of activation maximisation: objectives, parametrisations of pictures, transforms, regularisers, and the ascent.

A preset names the parts that go together. Nothing here depends on methods.
"""
