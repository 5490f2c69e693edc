"""Metrics of pictures: boxes, masks and images that were made."""

from __future__ import annotations

from functools import partial

from modeltop.core.metrics.registry import (
    AT_LEAST_ZERO,
    AT_MOST_ONE,
    CORRELATION,
    HIGHER,
    LOWER,
    PERCENT,
    SHARE,
    UNBOUNDED,
    metric,
    register,
)

_detection = partial(metric, HIGHER, SHARE, family="detection")
_score = partial(metric, HIGHER, SHARE)
_overlap = partial(metric, HIGHER, SHARE, family="overlap")
_similarity = partial(metric, HIGHER, CORRELATION)
_distance = partial(metric, LOWER, AT_LEAST_ZERO)

register(
    # Some tools write it in percent; that a column of a bounded metric is from 0 to 100 is found by all its values.
    _detection(
        "map_50",
        "map@0.5 ap50 bbox_map_50 box_map_50 bbox_ap50 map_iou_50",
        title="mean average precision at an overlap of 0.50",
    ),
    _detection(
        "map_75", "map@0.75 ap75 bbox_map_75 box_map_75 bbox_ap75", title="mean average precision at an overlap of 0.75"
    ),
    _detection(
        "map_50_95",
        "map@0.5:0.95 map_0.5:0.95 bbox_map box_map bbox_ap coco_map ap50_95 coco_ap",
        title="mean average precision over overlaps of 0.50 to 0.95",
    ),
    _detection("mask_map", "segm_map seg_map segm_ap mask_ap"),
    _score("map_small", "bbox_map_small"),
    _score("map_medium", "bbox_map_medium"),
    _score("map_large", "bbox_map_large"),
    _score("mar_small", "bbox_mar_small"),
    _score("mar_medium", "bbox_mar_medium"),
    _score("mar_large", "bbox_mar_large"),
    _overlap(
        "iou", "mean_iou miou intersection_over_union mean_intersection_over_union", title="intersection over union"
    ),
    _similarity("giou", "generalized_intersection_over_union"),
    _overlap("dice", "dice_coefficient dice_coef dsc mean_dice generalized_dice"),
    _score("pixel_accuracy", "pixel_acc mean_pixel_accuracy aacc"),
    _score("panoptic_quality", "pq"),
    _distance("hausdorff_distance", "hausdorff hd95 hausdorff_95"),
    metric(HIGHER, AT_MOST_ONE, "mota"),
    _score("hota"),
    _score("idf1"),
    metric(LOWER, AT_LEAST_ZERO, "fid", "frechet_inception_distance", digits=1, needs_labels=False),
    metric(LOWER, UNBOUNDED, "kernel_inception_distance", needs_labels=False),
    metric(HIGHER, AT_LEAST_ZERO, "inception_score", needs_labels=False),
    metric(LOWER, AT_LEAST_ZERO, "lpips", "learned_perceptual_image_patch_similarity", needs_labels=False),
    metric(HIGHER, UNBOUNDED, "psnr", "peak_signal_noise_ratio peak_signal_to_noise_ratio", digits=1),
    _similarity("ssim", "structural_similarity structural_similarity_index_measure ms_ssim"),
    metric(HIGHER, PERCENT, "clip_score", needs_labels=False),
    _distance("abs_rel", "absolute_relative_error"),
    _distance("silog"),
)
