"""Metrics of pictures: boxes, masks and images that were made."""

from __future__ import annotations

from modeltop.core.metrics.registry import Metric, register
from modeltop.core.series import Direction

SHARE = (0.0, 1.0)
AT_LEAST_ZERO = (0.0, None)

register(
    # Some tools write it in percent: 0 to 100 of a bounded metric is said of the whole column.
    Metric(
        "map_50",
        Direction.HIGHER,
        SHARE,
        family="detection",
        aliases=("map@0.5", "ap50", "bbox_map_50", "box_map_50", "bbox_ap50", "map_iou_50"),
        title="mean average precision at an overlap of 0.50",
    ),
    Metric(
        "map_75",
        Direction.HIGHER,
        SHARE,
        family="detection",
        aliases=("map@0.75", "ap75", "bbox_map_75", "box_map_75", "bbox_ap75"),
        title="mean average precision at an overlap of 0.75",
    ),
    Metric(
        "map_50_95",
        Direction.HIGHER,
        SHARE,
        family="detection",
        aliases=("map@0.5:0.95", "map_0.5:0.95", "bbox_map", "box_map", "bbox_ap", "coco_map", "ap50_95", "coco_ap"),
        title="mean average precision over overlaps of 0.50 to 0.95",
    ),
    Metric(
        "mask_map", Direction.HIGHER, SHARE, family="detection", aliases=("segm_map", "seg_map", "segm_ap", "mask_ap")
    ),
    *(
        Metric(f"{kind}_{size}", Direction.HIGHER, SHARE, aliases=(f"bbox_{kind}_{size}",))
        for kind in ("map", "mar")
        for size in ("small", "medium", "large")
    ),
    Metric(
        "iou",
        Direction.HIGHER,
        SHARE,
        family="overlap",
        aliases=("mean_iou", "miou", "intersection_over_union", "mean_intersection_over_union"),
        title="intersection over union",
    ),
    Metric("giou", Direction.HIGHER, (-1.0, 1.0), aliases=("generalized_intersection_over_union",)),
    Metric(
        "dice",
        Direction.HIGHER,
        SHARE,
        family="overlap",
        aliases=("dice_coefficient", "dice_coef", "dsc", "mean_dice", "generalized_dice"),
    ),
    Metric("pixel_accuracy", Direction.HIGHER, SHARE, aliases=("pixel_acc", "mean_pixel_accuracy", "aacc")),
    Metric("panoptic_quality", Direction.HIGHER, SHARE, aliases=("pq",)),
    Metric("hausdorff_distance", Direction.LOWER, AT_LEAST_ZERO, aliases=("hausdorff", "hd95", "hausdorff_95")),
    Metric("mota", Direction.HIGHER, (None, 1.0)),
    Metric("hota", Direction.HIGHER, SHARE),
    Metric("idf1", Direction.HIGHER, SHARE),
    Metric(
        "fid", Direction.LOWER, AT_LEAST_ZERO, digits=1, aliases=("frechet_inception_distance",), needs_labels=False
    ),
    Metric("kernel_inception_distance", Direction.LOWER, needs_labels=False),
    Metric("inception_score", Direction.HIGHER, AT_LEAST_ZERO, needs_labels=False),
    Metric(
        "lpips",
        Direction.LOWER,
        AT_LEAST_ZERO,
        aliases=("learned_perceptual_image_patch_similarity",),
        needs_labels=False,
    ),
    Metric("psnr", Direction.HIGHER, digits=1, aliases=("peak_signal_noise_ratio", "peak_signal_to_noise_ratio")),
    Metric(
        "ssim",
        Direction.HIGHER,
        (-1.0, 1.0),
        aliases=("structural_similarity", "structural_similarity_index_measure", "ms_ssim"),
    ),
    Metric("clip_score", Direction.HIGHER, (0.0, 100.0), needs_labels=False),
    Metric("abs_rel", Direction.LOWER, AT_LEAST_ZERO, aliases=("absolute_relative_error",)),
    Metric("silog", Direction.LOWER, AT_LEAST_ZERO),
)
