"""Interface for a close look: clicking, the inspector, the value under the cursor."""
