"""The programme as it is run: who takes part, drafts, submissions, triage, reviews, and the record of who did what.

Domain functions on a connection whose transaction the caller commits. What a viewer may not see is filtered before anything else is
asked; a single object that he may not see does not exist for him (`not_found`, status 404).
"""
