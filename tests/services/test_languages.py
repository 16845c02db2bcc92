"""Documents in many languages, of one owner, are found by their words alone."""

from uuid import UUID

from backend.core.errors import EmbedderUnavailableError
from backend.core.values.defect import Compared
from backend.db.repositories.lexicon import MOST_LANGUAGES, LexicalHit
from backend.rag.normalising import search_text
from tests.support.files import a_file
from tests.support.soundness import assert_settled, assert_statistics
from tests.support.two_models import do_all
from tests.support.workshop import Workshop

# Of each language: its configuration, two documents, and a question about each, in other inflections where the language has any.
SPEECHES = {
    "ja": (
        "simple",
        (
            "有給休暇は入社から六か月後に十日付与されます。申請は一週間前までに上司へ提出してください。",
            "有給休暇はいつもらえますか？",
        ),
        (
            "東京タワーは東京都港区にある電波塔である。高さは333メートルで、1958年に完成した。",
            "東京タワーの高さは何メートルですか？",
        ),
    ),
    "de": (
        "german",
        ("Die Kündigungsfristen für Wohnungen betragen drei Monate zum Ende eines Quartals.", "Wie lang ist die Kündigungsfrist?"),
        ("Im Stadtwald wachsen alte Bäume, vor allem Buchen, Eichen und Linden.", "Welcher BAUM wächst im Stadtwald?"),
    ),
    "ar": (
        "arabic",
        ("يقع المتحف الوطني في وسط المدينة ويستقبل الزوار من التاسعة صباحا حتى الخامسة مساء.", "متى يستقبل مُتحف المدينة الزائرين؟"),
        ("يحق للموظفين والموظفات ثلاثون يوما من الإجازة السنوية بعد إكمال سنة من الخدمة.", "كم يوما اجازة سنوية للموظف؟"),
    ),
    "zh": (
        "simple",
        ("长城全长超过两万一千公里，是世界上最长的城墙，主要修建于明代。", "长城是什么时候修建的？"),
        ("报销单据必须在每月二十五日之前提交给财务部门。", "报销单据什么时候提交？"),
    ),
    "ko": (
        "simple",
        ("서울은 대한민국의 수도이며 인구는 약 940만 명이다.", "서울의 인구는 얼마입니까?"),
        ("비밀번호는 구십 일마다 변경해야 하며 열두 자 이상이어야 합니다.", "비밀번호를 얼마나 자주 변경해야 하나요?"),
    ),
    "ru": (
        "russian",
        ("Байкал является самым глубоким озером в мире, его глубина достигает 1642 метров.", "Какова глубина озера Байкал?"),
        ("Арендатор вносит арендную плату не позднее пятого числа каждого месяца.", "Когда вносится арендная плата?"),
    ),
    "fr": (
        "french",
        (
            "Les salariés bénéficient de vingt-cinq jours de congés payés par année complète.",
            "Combien de congé payé pour un salarié ?",
        ),
        (
            "La bibliothèque municipale ferme ses portes à dix-huit heures tous les soirs.",
            "Quand ferment les bibliothèques municipales ?",
        ),
    ),
    "en": (
        "english",
        (
            "Blue whales eat krill and small fish, which they filter from the cold water of the ocean.",
            "What does a blue whale eat?",
        ),
        ("The melting point of gallium is so low that the metal melts in a warm hand.", "When does gallium melt?"),
    ),
}


async def found(workshop: Workshop, owner_id: UUID, question: str) -> list[LexicalHit]:
    async with workshop.uow.of(owner_id) as tx:
        return await tx.lexicon.search(owner_id, search_text(question), within=None, limit=9)


async def test_each_is_found_first_by_a_question_in_its_language_without_the_dense_leg(workshop: Workshop) -> None:
    alice = await workshop.user()
    questions = {}
    for language, (configuration, *pairs) in SPEECHES.items():
        for text, question in pairs:
            document = await workshop.indexed(alice, text)
            assert (document.status, document.language) == ("ready", language)
            questions[question] = document
            rows = await workshop.rows("select distinct language from chunks where document_id = $1", document.id)
            assert [row["language"] for row in rows] == [configuration]
    assert len({configuration for configuration, *_ in SPEECHES.values()}) == MOST_LANGUAGES
    workshop.embedder.question_failure = EmbedderUnavailableError()

    for question, document in questions.items():
        retrieved = await workshop.retriever.retrieve(alice, question, within=None)
        assert retrieved.degraded == ("dense",)
        assert [passage.document_id for passage in retrieved.passages][:1] == [document.id], question
    assert (await workshop.retriever.retrieve(alice, "フランスの大統領は誰ですか？", within=None)).passages == ()
    await assert_statistics(workshop, alice)


async def test_a_version_in_another_language_leaves_nothing_of_the_one_before(workshop: Workshop) -> None:
    alice = await workshop.user()
    (german, asked_in_german), (japanese, asked_in_japanese) = SPEECHES["de"][1], SPEECHES["ja"][1]
    document = await workshop.indexed(alice, german)
    await workshop.indexed(alice, SPEECHES["en"][1][0])

    await workshop.services.documents.replace(alice, document.id, a_file("new.txt", japanese.encode()))
    assert (await workshop.services.documents.get(alice, document.id)).language == "de"
    await do_all(workshop)

    assert (await workshop.services.documents.get(alice, document.id)).language == "ja"
    assert (len(await found(workshop, alice, asked_in_japanese)), await found(workshop, alice, asked_in_german)) == (1, [])
    await assert_settled(workshop, alice)
    sizes = await workshop.rows("select language, chunks from corpus_sizes where owner_id = $1 order by language", alice)
    assert [tuple(row) for row in sizes] == [("english", 1), ("simple", 1)]
    assert [defect async for defect in workshop.services.consistency.check(Compared())] == []

    await workshop.rows("update lexemes set frequency = frequency + 1 where language = 'simple'")
    await workshop.rows("update corpus_sizes set language = 'german' where language = 'simple'")
    assert [defect.kind async for defect in workshop.services.consistency.check(Compared())] == ["lexicon_wrong"]
    async with workshop.uow.of(alice) as tx:
        await tx.consistency.recount(alice)
    await assert_statistics(workshop, alice)


async def test_a_word_of_many_documents_weighs_no_more_in_the_only_one_of_another_language(workshop: Workshop) -> None:
    alice = await workshop.user()
    for number in range(8):
        await workshop.indexed(
            alice, f"The Docker daemon of host {number} is restarted by the night watch, and then it is checked."
        )
    network = await workshop.indexed(alice, "The network of a Docker container is configured in the file of its service.")
    await workshop.indexed(alice, "この文書は仮想化の技術を説明します。Dockerの歴史も短く紹介します。")

    hits = await found(workshop, alice, "How is the Docker network configured?")

    rows = await workshop.rows("select id, document_id, language from chunks where owner_id = $1", alice)
    ranked = {row["id"]: row for row in rows}
    assert ranked[hits[0].chunk_id]["document_id"] == network.id
    scores = {ranked[hit.chunk_id]["language"]: hit.score for hit in reversed(hits)}
    assert scores["english"] > 2 * scores.get("simple", 0.0)


async def test_what_does_not_show_its_language_is_indexed_all_the_same(workshop: Workshop) -> None:
    alice = await workshop.user()
    for text, configuration in (("1 2 3 4 5 6", "english"), ("krill orca", "english"), ("ßßß 東", "simple")):
        document = await workshop.indexed(alice, text)

        rows = await workshop.rows("select language from chunks where document_id = $1", document.id)
        assert (document.language, [row["language"] for row in rows]) == (None, [configuration])
        assert len(await found(workshop, alice, text)) == 1
