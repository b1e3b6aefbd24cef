"""What the cheaper rungs are called in a sentence."""

NAMES = {
    "trivial": "always the same answer",
    "one_rule": "the best rule on one column",
    "small_model": "the best small model on the raw numbers",
    "small_network": "a small network from nothing",
    "today": "what is done today",
    "best_action": "always the best single action",
    "chance": "chance",
    "shuffled": "the same with every column shuffled",
    "one_column": "the most extreme column alone",
    "naive": "the last value",
    "seasonal_naive": "the last season",
    "prompt": "the same base model with examples in its prompt",
    "base": "the same base model, untuned",
    "embeddings": "a linear model on the vectors of the same base, untuned",
    "classical": "a linear classifier on word counts",
    "teacher": "its teacher",
    "without_teacher": "the same model on the labels of people alone",
    "one_word": "one word for each label",
}
