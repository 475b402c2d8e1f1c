"""Parts shared by several methods: gradients, passes over data sets, class activation maps, scores."""
