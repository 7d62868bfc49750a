/* SPDX-License-Identifier: Apache-2.0 */
/* + - * / % max min: numbers, and text that reads as a number. Anything else fails the rule, as does dividing
 * by nought. */
#include <math.h>
#include "rule_internal.h"

static bool numbers(struct fs_run *run, const struct fs_value *args, size_t index, double *out)
{
    *out = fs_to_number(run, args[index]);
    if (isnan(*out))
        fs_run_fail(run, "arithmetic with something that is no number");
    return !run->failed;
}

static struct fs_value finish(struct fs_run *run, double number)
{
    return isnan(number) ? fs_run_fail(run, "arithmetic without a result") : fs_number(number);
}

FS_STRICT(fs_op_add)
{
    double sum = 0, number;
    for (size_t i = 0; i < count && numbers(run, args, i, &number); i++)
        sum += number;
    return finish(run, sum);
}

FS_STRICT(fs_op_multiply)
{
    double product = 1, number;
    for (size_t i = 0; i < count && numbers(run, args, i, &number); i++)
        product *= number;
    return finish(run, product);
}

FS_STRICT(fs_op_subtract)
{
    double rest, number;
    if (!numbers(run, args, 0, &rest))
        return FS_NONE;
    if (count == 1)
        return fs_number(-rest);
    for (size_t i = 1; i < count && numbers(run, args, i, &number); i++)
        rest -= number;
    return finish(run, rest);
}

FS_STRICT(fs_op_divide)
{
    double quotient = 1, number;
    if (count > 1 && !numbers(run, args, 0, &quotient))
        return FS_NONE;
    for (size_t i = count > 1 ? 1 : 0; i < count && numbers(run, args, i, &number); i++) {
        if (!(number < 0) && !(number > 0))
            return fs_run_fail(run, "a division by nought");
        quotient /= number;
    }
    return finish(run, quotient);
}

FS_STRICT(fs_op_modulo)
{
    double rest, number;
    if (!numbers(run, args, 0, &rest))
        return FS_NONE;
    for (size_t i = 1; i < count && numbers(run, args, i, &number); i++)
        rest = fmod(rest, number);
    return finish(run, rest);
}

static struct fs_value extreme(struct fs_run *run, const struct fs_value *args, size_t count, bool greatest)
{
    double best = 0;
    for (size_t i = 0; i < count; i++) {
        if (args[i].kind != FS_NUMBER)
            return fs_run_fail(run, "max or min of something that is no number");
        if (i == 0 || (greatest ? args[i].number > best : args[i].number < best))
            best = args[i].number;
    }
    return fs_number(best);
}

FS_STRICT(fs_op_max)
{
    return extreme(run, args, count, true);
}

FS_STRICT(fs_op_min)
{
    return extreme(run, args, count, false);
}
