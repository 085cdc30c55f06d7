"""What follows a breach of the rules: reports, a case, a decision, its measure, and appeals.

A decision cites exactly one ground, and nobody decides twice in one matter. A measure waits for the public record's
receipt. SQL holds both, so that no code here or elsewhere can forget them.

Owns the tables cases, reports, legal_orders, decisions, decision_confirmations, statements_of_reasons, appeals,
appeal_decisions, measures, measure_kinds, report_handling, liftings, domain_decisions, domain_comments,
domain_confirmations, domain_measures.
"""
