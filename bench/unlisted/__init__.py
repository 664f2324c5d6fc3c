"""Mistakes of clients that `explain` hasn't been written for; drawn anew from a seed.

python -m bench.unlisted --seed 1 [--set first|second|third] [--scheme hmac] [--tail | --common] [--half a|b] [--misses FILE] [--all FILE] [--limit M]
"""
