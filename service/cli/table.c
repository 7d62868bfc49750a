/* SPDX-License-Identifier: Apache-2.0 */
/* Tables with aligned columns; the last column is never padded. The same on a terminal and in a pipe. */
#include <string.h>
#include "base/alloc.h"
#include "cli_internal.h"

void fs_table_init(struct fs_table *table, const char *const *heads)
{
    memset(table, 0, sizeof *table);
    table->heads = heads;
    while (heads[table->columns])
        table->columns++;
}

void fs_table_finish(struct fs_table *table)
{
    for (size_t i = 0; i < table->cells.text.count; i++)
        fs_free(table->cells.text.items[i]);
    fs_vec_finish(&table->cells.text);
    fs_vec_finish(&table->cells.color);
    memset(table, 0, sizeof *table);
}

void fs_table_paint(struct fs_table *table, const char *text, enum fs_color color)
{
    fs_vec_push(&table->cells.text, fs_cli_clean(text && *text ? text : "-"));
    fs_vec_push(&table->cells.color, color);
}

void fs_table_add(struct fs_table *table, const char *text)
{
    fs_table_paint(table, text, FS_COLOR_NONE);
}

void fs_table_take(struct fs_table *table, char *text_owned)
{
    fs_table_add(table, text_owned);
    fs_free(text_owned);
}

size_t fs_text_width(const char *text)
{
    size_t width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void print_cell(const struct fs_cli_call *call, const char *text, enum fs_color color, size_t width,
                       bool last)
{
    fs_cli_paint(call, color, text);
    if (!last)
        fprintf(call->out, "%*s", (int)(width - fs_text_width(text) + 2), "");
}

void fs_table_print(const struct fs_table *table, const struct fs_cli_call *call, const char *empty)
{
    size_t count = table->cells.text.count, columns = table->columns;
    if (!count) {
        fprintf(call->err, "%s\n", empty);
        return;
    }
    size_t *widths = fs_calloc(columns, sizeof *widths);
    for (size_t i = 0; i < columns; i++)
        widths[i] = fs_text_width(table->heads[i]);
    for (size_t i = 0; i < count; i++) {
        size_t width = fs_text_width(table->cells.text.items[i]);
        widths[i % columns] = width > widths[i % columns] ? width : widths[i % columns];
    }
    for (size_t i = 0; i < columns; i++)
        print_cell(call, table->heads[i], FS_COLOR_DIM, widths[i], i + 1 == columns);
    fputc('\n', call->out);
    for (size_t i = 0; i < count; i++) {
        bool last = i % columns + 1 == columns;
        print_cell(call, table->cells.text.items[i], table->cells.color.items[i], widths[i % columns], last);
        if (last)
            fputc('\n', call->out);
    }
    fs_free(widths);
}

void fs_table_judge(struct fs_table *table, const json_t *one, const char *name, const char *good,
                    const char *bad)
{
    char *text = fs_cli_member(one, name);
    fs_table_paint(table, text,
                   strcmp(text, good) == 0  ? FS_COLOR_GOOD
                   : strcmp(text, bad) == 0 ? FS_COLOR_BAD
                                            : FS_COLOR_WARN);
    fs_free(text);
}
