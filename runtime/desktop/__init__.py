"""What a solofile does on a desktop: started by a double click, in the menu, or as a service."""
