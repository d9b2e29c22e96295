"""The store against a plain model over random histories, read at every generation."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from store_samples import PASSPORT, new_image, sha, taps

from indexer.store import Store
from indexer.types import Annotation

FIELDS = ("label", "family", "source", "captured_at")

names = st.sampled_from("abcd")
uris = st.sampled_from(["x:1", "x:2", "x:3"])
annotations = st.builds(
    Annotation,
    label=st.sampled_from([None, "real", "fake"]),
    family=st.sampled_from([None, "f1", "f2"]),
)
actions = st.one_of(
    st.tuples(
        st.just("add"), st.lists(st.tuples(names, uris, annotations), min_size=1, max_size=3)
    ),
    st.tuples(st.just("annotate"), names, annotations, st.sampled_from(["import", "analyst"])),
    st.tuples(st.just("locate"), names, uris),
    st.tuples(st.just("remove"), st.lists(names, max_size=3)),
    st.tuples(st.just("reject"), uris, st.sampled_from(["bomb", "truncated"])),
)


class Model:
    """What the promises say, in dictionaries: a full picture after every commit."""

    def __init__(self):
        self.images, self.analyst, self.rejects = {}, {}, {}
        self.pictures = [self.picture()]

    def picture(self):
        seen = {}
        for name, image in self.images.items():
            said = {**image["came"], **image["import"], **self.analyst.get(name, {})}
            seen[sha(name)] = (
                frozenset(image["uris"]),
                Annotation(*(said.get(field) for field in FIELDS)),
            )
        return seen, set(self.rejects)

    def apply(self, action):
        """Returns whether anything changed."""
        kind, *arguments = action
        return getattr(self, kind)(*arguments)

    def add(self, batch):
        changed = []
        for name, uri, annotation in batch:
            if name not in self.images:
                self.images[name] = {"uris": set(), "came": words(annotation), "import": {}}
            changed.append(self.locate(name, uri))
        return any(changed)

    def locate(self, name, uri):
        cleared = [key for key in self.rejects if key[0] == uri]
        for key in cleared:
            del self.rejects[key]
        new = uri not in self.images[name]["uris"]
        self.images[name]["uris"].add(uri)
        return new or bool(cleared)

    def annotate(self, name, annotation, origin):
        image = self.images[name]
        said = image["import"] if origin == "import" else self.analyst.setdefault(name, {})
        known = {**image["came"], **said} if origin == "import" else dict(said)
        news = {
            field: word for field, word in words(annotation).items() if known.get(field) != word
        }
        said.update(news)
        return bool(news)

    def remove(self, gone):
        here = self.images.keys() & set(gone)
        for name in here:
            del self.images[name]
        return bool(here)

    def reject(self, uri, reason):
        known = (uri, reason) in self.rejects
        self.rejects[uri, reason] = True
        return not known


def words(annotation):
    pairs = ((field, getattr(annotation, field)) for field in FIELDS)
    return {field: word for field, word in pairs if word is not None}


class Histories(RuleBasedStateMachine):
    def __init__(self, new_place):
        super().__init__()
        self.place = new_place()

    @initialize()
    def create(self):
        self.store = Store.create(self.place, PASSPORT)
        self.model = Model()

    @rule(history=st.lists(actions, min_size=1, max_size=4))
    def commit(self, history):
        changed = []
        with self.store.commit("test", "ann") as txn:
            for action in history:
                if action[0] in ("annotate", "locate") and action[1] not in self.model.images:
                    continue
                changed.append(self.model.apply(action))
                self.write(txn, action)
        if any(changed):
            self.model.pictures.append(self.model.picture())

    def write(self, txn, action):
        match action:
            case ("add", batch):
                txn.add([new_image(name, uri, said) for name, uri, said in batch])
            case ("annotate", name, annotation, origin):
                txn.annotate(sha(name), annotation, origin)
            case ("locate", name, uri):
                txn.locate(sha(name), uri)
            case ("remove", gone):
                txn.remove([sha(name) for name in gone])
            case ("reject", uri, reason):
                txn.reject(uri, reason, "why")

    @rule()
    def reopen(self):
        self.store.close()
        self.store = Store.open(self.place)

    @invariant()
    def every_generation_reads_as_it_was(self):
        assert self.store.generation == len(self.model.pictures) - 1
        for generation, (seen, rejected) in enumerate(self.model.pictures):
            ids = self.store.ids(generation=generation)
            images = self.store.images(ids, generation)
            found = {image.sha256: (frozenset(image.uris), image.annotation) for image in images}
            assert found == seen
            assert len(images) == len(seen)
            assert self.store.known(list(map(sha, "abcd")), generation) == set(seen)
            assert self.store.counts(generation).images == len(seen)
            columns = self.store.columns(ids, generation)
            assert columns.label == [image.annotation.label for image in images]
            assert columns.family == [image.annotation.family for image in images]
            rejects = self.store.rejects(generation)
            assert {(reject.uri, reject.reason) for reject in rejects} == rejected
            assert len(rejects) == len(rejected)
            tapped = {sha(name): taps(name) for name in "abcd"}
            for image, array in zip(images, self.store.taps(ids), strict=True):
                np.testing.assert_array_equal(array, tapped[image.sha256])

    def teardown(self):
        assert self.store.check() == []
        self.store.close()


def test_histories(new_place):
    some = settings(max_examples=15, stateful_step_count=8, deadline=None, derandomize=True)
    run_state_machine_as_test(lambda: Histories(new_place), settings=some)
