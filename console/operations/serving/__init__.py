"""Campaigns, requests, filters and batch jobs."""
