-- Days before this one are read by hours.
INSERT INTO moved_days SELECT {until_ms:UInt64} AS until_ms
