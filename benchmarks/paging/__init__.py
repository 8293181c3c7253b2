"""What pages are measured with: a service that breaks on command, the race, months, many rules."""
