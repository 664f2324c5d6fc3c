"""What a check is: requests, identities, rejections, records, schemes and the guard. Imports nothing of ours."""
