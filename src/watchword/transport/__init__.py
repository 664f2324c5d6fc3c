"""Whatever crosses the wire on a client's behalf: the drivers of an `Auth`'s flow, and our own fetches.

`flow` drives the client half of a scheme: an adapter sends, the driver does all else. Keys and metadata that others publish
are fetched guarded and without credentials: `get` describes a fetch as steps and judges every one of them, `wire` carries
the steps out, `addresses` says where it may lead, `freshness` how long an answer is good.
"""
