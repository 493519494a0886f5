"""The words of the system as frozen values: no behaviour beyond what a value can know of itself."""
