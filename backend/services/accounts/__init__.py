"""Accounts: who may come in, what they may change about themselves, and what administrators may."""
