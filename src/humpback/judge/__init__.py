"""The judge: calibrated on good pairs and on the same pairs with one planted defect."""
