"""Detectors, baselines and the evaluation of rules over history to alerts, statuses and a snapshot; pure.

Public face: baselines.base, baselines.other_series, baselines.past, baselines.restart, change_summary, concerns,
defaults, detectors.base, detectors.baseline_drop, detectors.cusum, detectors.drop, detectors.limit,
detectors.threshold, detectors.volume, evaluator, input_validation, label_coverage, no_data, priority, replay, rule,
snapshot, suggest
"""
