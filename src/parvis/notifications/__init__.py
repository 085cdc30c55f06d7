"""Who is told of what, whom one lets tell, and how it reaches somebody who is not looking.

Owns the tables notifications, notification_policies, notification_requests, notification_permissions, severances,
push_subscriptions, letter_preferences, email_subscribers and news_due.
"""
