"""Metrics of text, speech, pictures, clusters, and of fairness among groups.

A judge's marks are written from 0 to 1 by some tools and from 1 to 5 by others: they have no upper bound here.
"""

from __future__ import annotations

from functools import partial

from modeltop.core.metrics.registry import (
    AT_LEAST_ZERO,
    AT_MOST_ONE,
    CORRELATION,
    HIGHER,
    LOWER,
    NEITHER,
    PERCENT,
    SHARE,
    UNBOUNDED,
    metric,
    register,
)

_overlap_text = partial(metric, HIGHER, PERCENT, family="overlap-text")
_bertscore = partial(metric, HIGHER, CORRELATION, family="overlap-text")
_score = partial(metric, HIGHER, UNBOUNDED)
_accuracy = partial(metric, HIGHER, SHARE, support="rows", proportion=True, family="accuracy")
_edit_distance = partial(metric, LOWER, AT_LEAST_ZERO, support="rows")
_share = partial(metric, HIGHER, SHARE)
_perplexity = partial(metric, LOWER, AT_LEAST_ZERO, needs_labels=False)
_length = partial(metric, NEITHER, UNBOUNDED, digits=1, needs_labels=False)
_errors_text = partial(metric, LOWER, AT_LEAST_ZERO, family="errors-text")
_bounded_errors_text = partial(metric, LOWER, SHARE, family="errors-text")
_judged = partial(metric, HIGHER, AT_LEAST_ZERO, family="judged", needs_labels=False)
_harm = partial(metric, LOWER, SHARE, support="rows", proportion=True, family="harm", needs_labels=False)

register(
    # Against a reference. BLEU, ROUGE and chrF are written from 0 to 1 or from 0 to 100.
    _overlap_text("bleu", "sacrebleu sacre_bleu corpus_bleu bleu_4 sentence_bleu google_bleu gleu"),
    _overlap_text("rouge"),
    _overlap_text("rouge_1", "rouge1_f1 rouge1_fmeasure"),
    _overlap_text("rouge_2", "rouge2_f1 rouge2_fmeasure"),
    _overlap_text("rouge_l", "rouge_l_f1 rouge_l_fmeasure"),
    _overlap_text("rouge_lsum", "rouge_lsum_fmeasure rouge_l_sum"),
    metric(HIGHER, SHARE, "meteor", family="overlap-text"),
    _overlap_text("chrf", "chrf++ chrf2"),
    _bertscore("bertscore_f1", "bert_score_f bertscore"),
    _bertscore("bertscore_precision", "bert_score_p"),
    _bertscore("bertscore_recall", "bert_score_r"),
    _score("bleurt"),
    _score("comet"),
    _accuracy("exact_match", "em exact quasi_exact_match exact_match_rate prefix_exact_match"),
    metric(HIGHER, SHARE, "token_accuracy", "mean_token_accuracy token_acc", family="accuracy"),
    _accuracy("acc_norm"),
    _edit_distance("translation_edit_rate", "ter"),
    _edit_distance("edit_distance", "levenshtein_distance"),
    _share("uas", "unlabeled_attachment"),
    _share("las", "labeled_attachment"),
    # Of the language model itself.
    _perplexity("perplexity", "ppl word_perplexity byte_perplexity token_perplexity"),
    _perplexity("bits_per_byte", "bpb bits_per_character bpc"),
    metric(NEITHER, AT_LEAST_ZERO, "gen_len", "response_length output_length", digits=1, needs_labels=False),
    _length("flesch_kincaid_grade_level", "flesch_kincaid_grade"),
    _length("ari_grade_level", "automated_readability_index"),
    _length("flesch_reading_ease"),
    # Speech. More words can be wrong than were said.
    _errors_text("wer", "word_error_rate"),
    _errors_text("cer", "char_error_rate character_error_rate"),
    _bounded_errors_text("match_error_rate"),
    _bounded_errors_text("word_info_lost"),
    _share("word_info_preserved"),
    metric(LOWER, AT_LEAST_ZERO, "diarization_error_rate"),
    _score("pesq", "perceptual_evaluation_speech_quality"),
    _score("stoi", "short_time_objective_intelligibility"),
    metric(HIGHER, UNBOUNDED, "si_sdr", "scale_invariant_signal_distortion_ratio si_snr", digits=1),
    # Of an answer and what it rests on.
    _judged(
        "faithfulness",
        "faithfulness_with_hhem faithful_rate turn_faithfulness citation_faithfulness answer_faithfulness",
    ),
    _judged("groundedness", "groundedness_pro response_groundedness retrieval_groundedness nv_response_groundedness"),
    _judged(
        "answer_relevancy", "answer_relevance response_relevancy response_relevance relevance_to_query turn_relevancy"
    ),
    _judged("answer_correctness"),
    _judged("ragas", "ragas_score"),
    _judged("answer_accuracy", "nv_accuracy"),
    _judged("factual_correctness", "factuality factual_consistency truthfulness"),
    _judged("semantic_similarity", "answer_similarity answer_semantic_similarity"),
    _judged(
        "context_precision",
        "contextual_precision context_precision_with_reference context_precision_without_reference "
        "llm_context_precision_with_reference llm_context_precision_without_reference "
        "id_based_context_precision",
    ),
    _judged("context_recall", "contextual_recall llm_context_recall non_llm_context_recall"),
    _judged("context_relevance", "context_relevancy contextual_relevancy nv_context_relevance retrieval_relevance"),
    _judged("context_entity_recall", "context_entities_recall"),
    _judged("context_utilization"),
    _judged("retrieval_sufficiency"),
    _judged("correctness", "qa_correctness"),
    _judged("relevance", "relevancy"),
    _judged("coherence"),
    _judged("fluency"),
    _judged("helpfulness"),
    _judged("conciseness"),
    _judged("harmlessness"),
    _judged("summarization_quality", "summarization_score"),
    _judged("task_completion", "goal_accuracy agent_goal_accuracy"),
    _judged("tool_correctness", "tool_call_accuracy tool_call_correctness tool_selection_accuracy"),
    _judged("topic_adherence"),
    _judged("role_adherence"),
    _judged("prompt_alignment", "instruction_following guideline_adherence guidelines"),
    _judged("knowledge_retention"),
    _judged("conversation_completeness"),
    _judged("json_correctness", "json_validity valid_json_rate"),
    _judged("safety", "conversational_safety"),
    metric(LOWER, SHARE, "noise_sensitivity", family="harm", needs_labels=False),
    # Only the names that say a share: the bare word is a mark whose good end differs between tools and versions.
    _harm("hallucination_rate", "hallucination_ratio hallucinated_share hallucinations_rate"),
    # Evaluate and MLflow write the mean probability of the text being toxic; the share above a limit is another one.
    metric(LOWER, SHARE, "toxicity", support="rows", family="harm", needs_labels=False),
    _harm("toxicity_rate", "toxicity_ratio toxic_rate"),
    _harm("harmful_rate", "harmfulness_rate"),
    _harm("jailbreak_rate", "jailbreak_success_rate"),
    _harm("attack_success_rate"),
    _harm("thumbs_down_rate"),
    metric(LOWER, AT_LEAST_ZERO, "harmfulness", "maliciousness", family="harm", needs_labels=False),
    metric(HIGHER, SHARE, "pass_rate", "passing_rate test_pass_rate eval_pass_rate", support="rows", proportion=True),
    metric(HIGHER, SHARE, "thumbs_up_rate", support="rows", proportion=True, family="response", needs_labels=False),
)


_fairness = partial(metric, LOWER, SHARE, family="fairness", needs_labels=False)
_fairness_ratio = partial(metric, HIGHER, SHARE, family="fairness-ratio")
_difference = partial(metric, NEITHER, CORRELATION, family="fairness", needs_labels=False, two_sided=True)
_labeled_difference = partial(metric, NEITHER, CORRELATION, family="fairness", two_sided=True)

register(
    # Fairlearn's differences are the largest between any two groups: never below zero.
    _fairness("demographic_parity_difference", "dpd demographic_parity_diff"),
    metric(LOWER, SHARE, "equalized_odds_difference", "equalized_odds_diff", family="fairness"),
    metric(HIGHER, SHARE, "demographic_parity_ratio", family="fairness-ratio", needs_labels=False),
    _fairness_ratio("equalized_odds_ratio"),
    _fairness_ratio("equal_opportunity_ratio"),
    # Signed in AIF360 and others: 0 is best, or 1 of a ratio. Neither way is better.
    _difference("statistical_parity_difference", "spd"),
    _labeled_difference("equal_opportunity_difference"),
    _labeled_difference("average_odds_difference"),
    metric(NEITHER, AT_LEAST_ZERO, "disparate_impact", "disparate_impact_ratio", needs_labels=False, two_sided=True),
    metric(LOWER, AT_LEAST_ZERO, "theil_index", family="fairness"),
)


_clustering = partial(metric, HIGHER, CORRELATION, support="rows", family="clustering", needs_labels=False)
_criterion = partial(metric, HIGHER, AT_LEAST_ZERO, digits=1, needs_labels=False)
_cluster_agreement = partial(metric, HIGHER, SHARE, family="clustering")

register(
    _clustering("silhouette", "silhouette_coefficient silhouette_width"),
    metric(LOWER, AT_LEAST_ZERO, "davies_bouldin", "davies_bouldin_index db_index", needs_labels=False),
    _criterion("calinski_harabasz", "calinski_harabasz_index variance_ratio_criterion"),
    metric(HIGHER, AT_LEAST_ZERO, "dunn_index", needs_labels=False),
    metric(LOWER, AT_LEAST_ZERO, "inertia", "wcss", digits=1, needs_labels=False),
    metric(HIGHER, CORRELATION, "adjusted_rand", "adjusted_rand_index ari", family="clustering"),
    _cluster_agreement("rand_index", "rand_score"),
    metric(HIGHER, AT_LEAST_ZERO, "mutual_information", "mutual_info"),
    metric(HIGHER, AT_MOST_ONE, "adjusted_mutual_information", "adjusted_mutual_info ami", family="clustering"),
    _cluster_agreement("normalized_mutual_information", "normalized_mutual_info nmi"),
    _cluster_agreement("homogeneity"),
    _cluster_agreement("completeness"),
    _cluster_agreement("v_measure"),
    _cluster_agreement("fowlkes_mallows", "fowlkes_mallows_index"),
    metric(HIGHER, SHARE, "cluster_accuracy", "clustering_accuracy", support="rows", proportion=True),
)


_detection = partial(metric, HIGHER, SHARE, family="detection")
_vision_score = partial(metric, HIGHER, SHARE)
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
    _vision_score("map_small", "bbox_map_small"),
    _vision_score("map_medium", "bbox_map_medium"),
    _vision_score("map_large", "bbox_map_large"),
    _vision_score("mar_small", "bbox_mar_small"),
    _vision_score("mar_medium", "bbox_mar_medium"),
    _vision_score("mar_large", "bbox_mar_large"),
    _overlap(
        "iou", "mean_iou miou intersection_over_union mean_intersection_over_union", title="intersection over union"
    ),
    _similarity("giou", "generalized_intersection_over_union"),
    _overlap("dice", "dice_coefficient dice_coef dsc mean_dice generalized_dice"),
    _vision_score("pixel_accuracy", "pixel_acc mean_pixel_accuracy aacc"),
    _vision_score("panoptic_quality", "pq"),
    _distance("hausdorff_distance", "hausdorff hd95 hausdorff_95"),
    metric(HIGHER, AT_MOST_ONE, "mota"),
    _vision_score("hota"),
    _vision_score("idf1"),
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
