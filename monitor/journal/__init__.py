"""The journal: what people did and what receivers were told, kept for good and folded into facts.

`journal` is the door; `lines` says what a line is, `codec` how a value stands in it, `fold` what an event changes,
`reading` follows the files, `deeds` decides what a person may do, `story` tells it again, `places` says where it is.
"""
