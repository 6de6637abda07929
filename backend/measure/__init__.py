"""Metrics, evaluations, benches and reports; nothing that renders imports them."""
