"""Side by side with peers and with the limit: ratios taken in one run; no time is ever asserted."""
