"""One file a server: each function prepares its folder and returns the `Launch`."""
