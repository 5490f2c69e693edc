"""Metrics of text and speech: near to a reference, grounded in a source, harmless, useful.

A judge's marks are written from 0 to 1 by some tools and from 1 to 5 by others: they have no upper bound here.
"""

from __future__ import annotations

from modeltop.core.metrics.registry import Metric, register
from modeltop.core.series import Direction

SHARE = (0.0, 1.0)
AT_LEAST_ZERO = (0.0, None)
PERCENT = (0.0, 100.0)

register(
    # Against a reference. BLEU, ROUGE and chrF are written from 0 to 1 or from 0 to 100.
    Metric(
        "bleu",
        Direction.HIGHER,
        PERCENT,
        family="overlap-text",
        aliases=("sacrebleu", "sacre_bleu", "corpus_bleu", "bleu_4", "sentence_bleu", "google_bleu", "gleu"),
    ),
    Metric("rouge", Direction.HIGHER, PERCENT, family="overlap-text"),
    Metric("rouge_1", Direction.HIGHER, PERCENT, family="overlap-text", aliases=("rouge1_f1", "rouge1_fmeasure")),
    Metric("rouge_2", Direction.HIGHER, PERCENT, family="overlap-text", aliases=("rouge2_f1", "rouge2_fmeasure")),
    Metric("rouge_l", Direction.HIGHER, PERCENT, family="overlap-text", aliases=("rouge_l_f1", "rouge_l_fmeasure")),
    Metric(
        "rouge_lsum", Direction.HIGHER, PERCENT, family="overlap-text", aliases=("rouge_lsum_fmeasure", "rouge_l_sum")
    ),
    Metric("meteor", Direction.HIGHER, SHARE, family="overlap-text"),
    Metric("chrf", Direction.HIGHER, PERCENT, family="overlap-text", aliases=("chrf++", "chrf2")),
    *(
        Metric(
            f"bertscore_{part}",
            Direction.HIGHER,
            (-1.0, 1.0),
            family="overlap-text",
            aliases=(f"bert_score_{short}", *more),
        )
        for part, short, more in (
            ("f1", "f", ("bertscore",)),
            ("precision", "p", ()),
            ("recall", "r", ()),
        )
    ),
    Metric("bleurt", Direction.HIGHER),
    Metric("comet", Direction.HIGHER),
    Metric(
        "exact_match",
        Direction.HIGHER,
        SHARE,
        support="rows",
        proportion=True,
        family="accuracy",
        aliases=("em", "exact", "quasi_exact_match", "exact_match_rate", "prefix_exact_match"),
    ),
    Metric("token_accuracy", Direction.HIGHER, SHARE, family="accuracy", aliases=("mean_token_accuracy", "token_acc")),
    Metric("acc_norm", Direction.HIGHER, SHARE, support="rows", proportion=True, family="accuracy"),
    Metric("translation_edit_rate", Direction.LOWER, AT_LEAST_ZERO, support="rows", aliases=("ter",)),
    Metric("edit_distance", Direction.LOWER, AT_LEAST_ZERO, support="rows", aliases=("levenshtein_distance",)),
    Metric("uas", Direction.HIGHER, SHARE, aliases=("unlabeled_attachment",)),
    Metric("las", Direction.HIGHER, SHARE, aliases=("labeled_attachment",)),
    # Of the language model itself.
    Metric(
        "perplexity",
        Direction.LOWER,
        AT_LEAST_ZERO,
        aliases=("ppl", "word_perplexity", "byte_perplexity", "token_perplexity"),
        needs_labels=False,
    ),
    Metric(
        "bits_per_byte",
        Direction.LOWER,
        AT_LEAST_ZERO,
        aliases=("bpb", "bits_per_character", "bpc"),
        needs_labels=False,
    ),
    Metric(
        "gen_len",
        Direction.NEITHER,
        AT_LEAST_ZERO,
        digits=1,
        aliases=("response_length", "output_length"),
        needs_labels=False,
    ),
    *(
        Metric(name, Direction.NEITHER, digits=1, aliases=aliases, needs_labels=False)
        for name, aliases in (
            ("flesch_kincaid_grade_level", ("flesch_kincaid_grade",)),
            ("ari_grade_level", ("automated_readability_index",)),
            ("flesch_reading_ease", ()),
        )
    ),
    # Speech. More words can be wrong than were said.
    Metric("wer", Direction.LOWER, AT_LEAST_ZERO, family="errors-text", aliases=("word_error_rate",)),
    Metric(
        "cer", Direction.LOWER, AT_LEAST_ZERO, family="errors-text", aliases=("char_error_rate", "character_error_rate")
    ),
    Metric("match_error_rate", Direction.LOWER, SHARE, family="errors-text"),
    Metric("word_info_lost", Direction.LOWER, SHARE, family="errors-text"),
    Metric("word_info_preserved", Direction.HIGHER, SHARE),
    Metric("diarization_error_rate", Direction.LOWER, AT_LEAST_ZERO),
    Metric("pesq", Direction.HIGHER, aliases=("perceptual_evaluation_speech_quality",)),
    Metric("stoi", Direction.HIGHER, aliases=("short_time_objective_intelligibility",)),
    Metric("si_sdr", Direction.HIGHER, digits=1, aliases=("scale_invariant_signal_distortion_ratio", "si_snr")),
    # Of an answer and what it rests on.
    *(
        Metric(name, Direction.HIGHER, AT_LEAST_ZERO, family="judged", aliases=aliases, needs_labels=False)
        for name, aliases in (
            (
                "faithfulness",
                (
                    "faithfulness_with_hhem",
                    "faithful_rate",
                    "turn_faithfulness",
                    "citation_faithfulness",
                    "answer_faithfulness",
                ),
            ),
            (
                "groundedness",
                ("groundedness_pro", "response_groundedness", "retrieval_groundedness", "nv_response_groundedness"),
            ),
            (
                "answer_relevancy",
                (
                    "answer_relevance",
                    "response_relevancy",
                    "response_relevance",
                    "relevance_to_query",
                    "turn_relevancy",
                ),
            ),
            ("answer_correctness", ()),
            ("ragas", ("ragas_score",)),
            ("answer_accuracy", ("nv_accuracy",)),
            ("factual_correctness", ("factuality", "factual_consistency", "truthfulness")),
            ("semantic_similarity", ("answer_similarity", "answer_semantic_similarity")),
            (
                "context_precision",
                (
                    "contextual_precision",
                    "context_precision_with_reference",
                    "context_precision_without_reference",
                    "llm_context_precision_with_reference",
                    "llm_context_precision_without_reference",
                    "id_based_context_precision",
                ),
            ),
            ("context_recall", ("contextual_recall", "llm_context_recall", "non_llm_context_recall")),
            (
                "context_relevance",
                ("context_relevancy", "contextual_relevancy", "nv_context_relevance", "retrieval_relevance"),
            ),
            ("context_entity_recall", ("context_entities_recall",)),
            ("context_utilization", ()),
            ("retrieval_sufficiency", ()),
            ("correctness", ("qa_correctness",)),
            ("relevance", ("relevancy",)),
            ("coherence", ()),
            ("fluency", ()),
            ("helpfulness", ()),
            ("conciseness", ()),
            ("harmlessness", ()),
            ("summarization_quality", ("summarization_score",)),
            ("task_completion", ("goal_accuracy", "agent_goal_accuracy")),
            ("tool_correctness", ("tool_call_accuracy", "tool_call_correctness", "tool_selection_accuracy")),
            ("topic_adherence", ()),
            ("role_adherence", ()),
            ("prompt_alignment", ("instruction_following", "guideline_adherence", "guidelines")),
            ("knowledge_retention", ()),
            ("conversation_completeness", ()),
            ("json_correctness", ("json_validity", "valid_json_rate")),
            ("safety", ("conversational_safety",)),
        )
    ),
    Metric("noise_sensitivity", Direction.LOWER, SHARE, family="harm", needs_labels=False),
    # Only the names that say a share: the bare word is a mark whose good end differs between tools and versions.
    Metric(
        "hallucination_rate",
        Direction.LOWER,
        SHARE,
        support="rows",
        proportion=True,
        family="harm",
        aliases=("hallucination_ratio", "hallucinated_share", "hallucinations_rate"),
        needs_labels=False,
    ),
    # Evaluate and MLflow write the mean probability of the text being toxic; the share above a limit is another one.
    Metric("toxicity", Direction.LOWER, SHARE, support="rows", family="harm", needs_labels=False),
    *(
        Metric(
            name,
            Direction.LOWER,
            SHARE,
            support="rows",
            proportion=True,
            family="harm",
            aliases=aliases,
            needs_labels=False,
        )
        for name, aliases in (
            ("toxicity_rate", ("toxicity_ratio", "toxic_rate")),
            ("harmful_rate", ("harmfulness_rate",)),
            ("jailbreak_rate", ("jailbreak_success_rate",)),
            ("attack_success_rate", ()),
            ("thumbs_down_rate", ()),
        )
    ),
    Metric(
        "harmfulness", Direction.LOWER, AT_LEAST_ZERO, family="harm", aliases=("maliciousness",), needs_labels=False
    ),
    Metric(
        "pass_rate",
        Direction.HIGHER,
        SHARE,
        support="rows",
        proportion=True,
        aliases=("passing_rate", "test_pass_rate", "eval_pass_rate"),
    ),
    Metric(
        "thumbs_up_rate",
        Direction.HIGHER,
        SHARE,
        support="rows",
        proportion=True,
        family="response",
        needs_labels=False,
    ),
)
