"""The expectation that rows of one group agree, for Great Expectations on SQL."""

from typing import Any, ClassVar

import sqlalchemy as sa
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.expectation import ColumnMapExpectation
from great_expectations.expectations.metrics import (
    ColumnMapMetricProvider,
    column_condition_partial,
)
from great_expectations.render.renderer_configuration import (
    RendererConfiguration,
    RendererValueType,
)


class ColumnGroupsAgree(ColumnMapMetricProvider):  # type: ignore[misc]
    """The metric: whether no row with the same cell has another value of a label."""

    condition_metric_name = "column_values.groups_agree"
    condition_value_keys = ("labels",)

    @column_condition_partial(engine=SqlAlchemyExecutionEngine)  # type: ignore[untyped-decorator]
    def _sqlalchemy(cls, column: Any, labels: list[str], _table: Any, **_: Any) -> Any:  # noqa: N805
        def agrees(label: Any) -> Any:
            groups = sa.select(column).select_from(_table).where(column.is_not(None))
            differ = sa.func.min(label) != sa.func.max(label)
            torn = groups.group_by(column).having(differ).scalar_subquery()
            return sa.or_(label.is_(None), column.not_in(torn))

        return sa.and_(*(agrees(sa.column(label)) for label in labels))


class ExpectGroupsToAgree(ColumnMapExpectation):  # type: ignore[misc]
    """Expect the rows with the same value in a column to have the same labels.

    Rows without a value in the column are not judged; an empty label agrees with every other.

    Args:
        column: What is equal within a group.
        labels: Columns that must then be equal too.
        mostly: The share of rows whose group must agree.
    """

    map_metric: ClassVar[str] = "column_values.groups_agree"
    success_keys: ClassVar[tuple[str, ...]] = ("labels", "mostly")
    labels: list[str]

    @classmethod
    def _prescriptive_template(
        cls, renderer_configuration: RendererConfiguration
    ) -> RendererConfiguration:
        renderer_configuration.add_param("column", RendererValueType.STRING)
        renderer_configuration.add_param("labels", RendererValueType.ARRAY)
        renderer_configuration.template_str = (
            "rows with the same $column must have the same values of $labels."
        )
        return renderer_configuration
