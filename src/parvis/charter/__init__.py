"""The rules, in force since when and until when, and the way residents change them.

provisional.toml is the first charter: every duration and threshold, and a few neutral articles that lapse. After it is
laid, rules change only by promulgation of an adopted proposal, which SQL does by itself after counting again.

Owns the tables articles, article_versions, charter_versions, proposals, proposal_steps, proposal_supports.
"""
