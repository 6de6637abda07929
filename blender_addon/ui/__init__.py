"""Panels; they only draw."""
