"""The indexes after many changes: dropped before a large import and built again after it. Only quick answers need them."""

from __future__ import annotations

from sqlalchemy import Engine, text

from service.database.tables import create_passage_index, drop_passage_index, set_width
from service.errors import ServiceError
from service.library.indexing import Indexer

_MANY = 100  # benchmarks from which on building the index once may be quicker
_SHARE = 0.4  # of those in the library


def check(engine: Engine, indexer: Indexer) -> None:
    """That what is in the library was indexed by this model; an empty one takes its width. ServiceError `library_outdated` otherwise."""
    with engine.begin() as connection:
        models = connection.execute(text("SELECT model, count(*) FROM benchmarks WHERE text IS NOT NULL GROUP BY model")).all()
        other = sum(count for model, count in models if model != indexer.version)
        if other:
            told = f"标杆库里有 {other} 条是用别的向量模型建的索引。请先运行 biaogan library reindex，再加入新的标杆。"
            raise ServiceError("library_outdated", told, status=409)
        if not models:
            set_width(connection, indexer.encoder.dimensions)


def before_import(engine: Engine, coming: int) -> None:
    """Drops the index of passages where building it once is quicker than adding `coming` benchmarks row by row."""
    if coming < _MANY:
        return
    with engine.begin() as connection:
        have: int = connection.execute(text("SELECT count(*) FROM benchmarks WHERE text IS NOT NULL")).scalar_one()
        if coming >= _SHARE * have:
            drop_passage_index(connection)


def is_whole(engine: Engine) -> bool:
    """Whether the index of passages is there; without it a search reads all passages."""
    with engine.connect() as connection:
        return connection.execute(text("SELECT to_regclass('passages_embedding')")).scalar() is not None


def after_import(engine: Engine) -> None:
    """Builds what is missing and tells the planner what there is now."""
    if not is_whole(engine):
        with engine.begin() as connection:
            connection.execute(text("SET LOCAL maintenance_work_mem = '2GB'"))
            create_passage_index(connection)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM (ANALYZE) benchmarks, passages, fingerprints"))
