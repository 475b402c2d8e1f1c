"""What stands around the panels: floor, edges, boards, labels, legends, sky."""
