"""The parts of a check: requests, identities, rejections, records, schemes and the guard. Imports `waiting` alone of ours."""
