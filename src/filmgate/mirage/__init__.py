"""A video vendor that is none: it speaks `/v1/videos`, draws test cards, lies on request, and logs it all.

It shares no code with the rest of the house, so that its log is a witness of its own.
"""
