/* SPDX-License-Identifier: Apache-2.0 */
#include "mar_show.h"

#include "columns.h"

static void
add_header(struct columns *columns, const struct mar_rows *rows)
{
	for (size_t i = 0; i < mar_rows_columns(rows); i++)
		columns_add(columns, mar_rows_column(rows, i));
	columns_add(columns, span_of("count"));
	columns_end_row(columns);
}

static void
add_row(struct columns *columns, const struct mar_rows *rows, size_t row)
{
	int64_t times = mar_rows_times(rows, row);

	for (size_t i = 0; i < mar_rows_columns(rows); i++)
		columns_add(columns, mar_rows_value(rows, row, i));
	if (times >= 0)
		columns_addf(columns, "%lld", (long long)times);
	else
		columns_add(columns, (struct span){ "", 0 });
	columns_end_row(columns);
}

void
mar_show_rows(const struct mar_rows *rows, const struct mar_show *show,
	struct columns *columns)
{
	size_t count = mar_rows_count(rows);

	if (show->rows_max > 0 && count > show->rows_max)
		count = show->rows_max;
	if (show->header)
		add_header(columns, rows);
	for (size_t i = 0; i < count; i++)
		add_row(columns, rows, i);
}

/* What the service did not say is not there. */
void
mar_show_progress(const struct mar_progress *progress, enum audience audience,
	struct text *out)
{
	if (progress->status[0] == '\0')
		text_append_string(out,
			translate_for(audience, "not yet started"));
	else
		text_harmless(out, span_of(progress->status), TEXT_MESSAGE);
	if (progress->hosts >= 0 && progress->asked >= 0)
		text_appendf(out,
			translate_for(audience,
				", %lld of %lld hosts have answered"),
			(long long)progress->hosts, (long long)progress->asked);
	else if (progress->hosts >= 0)
		text_appendf(out,
			translate_counted(audience, ", %lld host",
				", %lld hosts", (unsigned long)progress->hosts),
			(long long)progress->hosts);
	if (progress->results >= 0)
		text_appendf(out,
			translate_counted(audience, ", %lld result",
				", %lld results",
				(unsigned long)progress->results),
			(long long)progress->results);
	if (progress->errors > 0)
		text_appendf(out,
			translate_counted(audience, ", %lld error",
				", %lld errors",
				(unsigned long)progress->errors),
			(long long)progress->errors);
	if (progress->rows > 0)
		text_appendf(out, translate_for(audience, ", %zu read"),
			progress->rows);
}

bool
mar_show_is_full(const struct mar_progress *progress)
{
	return progress->is_enough ||
		(!progress->has_no_room &&
			progress->found >= progress->results);
}

bool
mar_show_is_whole(const struct mar_progress *progress)
{
	return progress->errors <= 0 &&
		(progress->hosts < 0 || progress->hosts >= progress->asked);
}
