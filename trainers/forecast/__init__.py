"""Forecasts of one or many series: naive ways first, then what beats them at rolling origins."""
