"""What may happen to records, without a screen: functions that take a session and never commit."""
