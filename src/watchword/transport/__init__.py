"""Our own fetches, for keys and metadata that others publish: guarded, without credentials.

`get` describes a fetch as steps and judges every one of them, `wire` carries the steps out, `addresses` says where it may
lead, `freshness` how long an answer is good.
"""
