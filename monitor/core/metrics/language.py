"""Metrics of text and speech: near to a reference, grounded in a source, harmless, useful.

A judge's marks are written from 0 to 1 by some tools and from 1 to 5 by others: they have no upper bound here.
"""

from __future__ import annotations

from functools import partial

from modeltop.core.metrics.registry import (
    AT_LEAST_ZERO,
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
