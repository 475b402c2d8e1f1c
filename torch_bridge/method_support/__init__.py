"""Parts that several methods share: gradients, passes over data sets, class activation maps, shares of scores."""
