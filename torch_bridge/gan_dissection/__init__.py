"""GAN Dissection: which units of a generator paint which concepts, and pictures in which these units are changed.

Bau et al. 2019, "GAN Dissection: Visualizing and Understanding Generative Adversarial Networks".
"""
