"""What channels detect, in a window: labels are read and searched, a concept is ablated, two halls are compared."""


def test_labels_concepts_training_and_two_halls(play):
    result = play("dissected", seconds=900)
    assert len(result["concepts"]) > 3
    assert result["ablated"]["before"] != result["ablated"]["after"]
