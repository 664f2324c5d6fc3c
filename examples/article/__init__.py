"""The article's five programs, made true: each runs against a real server that it starts, and shows a refused forgery."""
