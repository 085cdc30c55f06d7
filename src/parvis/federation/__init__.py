"""Speaks ActivityPub with the other servers.

Owns the tables inbox_items, inbox_hosts, activities_done, tombstones, inbox_refusals, outgoing, deliveries,
delivery_hosts, silent_hosts, relays, thread_fetches, report_days and actor_keys.
"""
