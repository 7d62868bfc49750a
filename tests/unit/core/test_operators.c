/* SPDX-License-Identifier: Apache-2.0 */
/* Each operator with its corner cases. That they are flagd's is the differential test's
 * (tests/conformance/rules). */
#include "rule_support.h"

#define CTX                                                                                                  \
    "{'n':5,'t':'5','name':'jane','none':null,'yes':true,'list':[1,2,3],'empty':[],'o':{'a':{'b':7}},'"      \
    "words':['x','y']}"

static void var_reads_paths_indexes_and_defaults(void **state)
{
    (void)state;
    assert_gives("{'var':'o.a.b'}", CTX, "7");
    assert_gives("{'var':'list.1'}", CTX, "2");
    assert_gives("{'var':'list.length'}", CTX, "3");
    assert_gives("{'var':'nothing'}", CTX, "null");
    assert_gives("{'var':['nothing','x']}", CTX, "'x'");
    assert_gives("{'var':['nothing',{'var':'name'}]}", CTX, "'jane'");
    assert_gives("{'var':['none','x']}", CTX, "'x'");
    assert_gives("{'var':'a\\\\.b'}", "{'a.b':1}", "1");
    assert_gives("{'var':{'var':'which'}}", "{'which':'name','name':'bob'}", "'bob'");
    assert_gives("{'var':''}", "{'a':1}", "{'a':1}");
    assert_gives("{'var':'name.0'}", CTX, "'j'");
}

static void flagds_own_variables_are_key_and_second(void **state)
{
    (void)state;
    assert_gives("{'var':'$flagd.flagKey'}", "{}", "'my-flag'");
    assert_gives("{'var':'$flagd.timestamp'}", "{}", "1764000000");
    assert_gives("{'var':'$flagd.timestamp'}", "{'$flagd':{'timestamp':1}}", "1764000000");
}

static void if_takes_the_first_branch_that_holds(void **state)
{
    (void)state;
    assert_gives("{'if':[{'var':'yes'},'a','b']}", CTX, "'a'");
    assert_gives("{'if':[{'var':'none'},'a','b']}", CTX, "'b'");
    assert_gives("{'if':[{'var':'none'},'a',{'var':'yes'},'b','c']}", CTX, "'b'");
    assert_gives("{'if':[{'var':'none'},'a']}", CTX, "null");
    assert_gives("{'if':[{'var':'name'}]}", CTX, "'jane'");
    assert_gives("{'if':[]}", CTX, "null");
    assert_gives("{'?:':[{'var':'yes'},1,2]}", CTX, "1");
}

static void truthiness_is_jsonlogics(void **state)
{
    (void)state;
    assert_gives("{'!!':[{'var':'v'}]}", "{'v':'0'}", "true");
    assert_gives("{'!!':[{'var':'v'}]}", "{'v':''}", "false");
    assert_gives("{'!!':[{'var':'v'}]}", "{'v':0}", "false");
    assert_gives("{'!!':[{'var':'v'}]}", "{'v':-0.5}", "true");
    assert_gives("{'!!':[{'var':'v'}]}", "{'v':[]}", "false");
    assert_gives("{'!!':[{'var':'v'}]}", "{'v':[0]}", "true");
    assert_gives("{'!!':[{'var':'v'}]}", "{'v':{}}", "false");
    assert_gives("{'!!':[{'var':'v'}]}", "{'v':{'a':0}}", "true");
    assert_gives("{'!':{'var':'v'}}", "{}", "true");
    assert_gives("{'!':[]}", "{}", "true");
}

static void and_and_or_give_the_deciding_operand(void **state)
{
    (void)state;
    assert_gives("{'and':[{'var':'yes'},{'var':'name'}]}", CTX, "'jane'");
    assert_gives("{'and':[{'var':'none'},{'var':'name'}]}", CTX, "null");
    assert_gives("{'or':[{'var':'none'},0,{'var':'name'}]}", CTX, "'jane'");
    assert_gives("{'or':[{'var':'none'},0]}", CTX, "0");
    assert_gives("{'and':[]}", CTX, "null");
}

static void comparisons_take_text_with_text_and_numbers_otherwise(void **state)
{
    (void)state;
    assert_gives("{'==':[{'var':'n'},'5']}", CTX, "true");
    assert_gives("{'===':[{'var':'n'},'5']}", CTX, "false");
    assert_gives("{'==':[{'var':'n'},5.0]}", CTX, "true");
    assert_gives("{'==':[{'var':'t'},'5.0']}", CTX, "false");
    assert_gives("{'!=':[{'var':'name'},'bob']}", CTX, "true");
    assert_gives("{'!==':[{'var':'n'},5]}", CTX, "false");
    assert_gives("{'==':[{'var':'none'},'x']}", CTX, "false");
    assert_gives("{'==':[{'var':'none'},null]}", CTX, "true");
    assert_gives("{'==':[{'var':'yes'},1]}", CTX, "true");
    assert_gives("{'<':[{'var':'t'},'10']}", CTX, "false");
    assert_gives("{'<':[{'var':'n'},'10']}", CTX, "true");
    assert_gives("{'<':[1,{'var':'n'},10]}", CTX, "true");
    assert_gives("{'<':[1,{'var':'n'},5]}", CTX, "false");
    assert_gives("{'>=':[{'var':'none'},0]}", CTX, "true");
    assert_gives("{'==':[{'var':'n'},' 0x5 ']}", CTX, "true");
}

static void comparing_what_has_no_order_fails(void **state)
{
    (void)state;
    assert_gives("{'==':[{'var':'n'},'gold']}", CTX, "failed");
    assert_gives("{'<':[{'var':'list'},1]}", CTX, "failed");
    assert_gives("{'==':[{'var':'list'},{'var':'list'}]}", CTX, "failed");
    assert_gives("{'===':[{'var':'list'},{'var':'list'}]}", CTX, "true");
    assert_gives("{'===':[{'var':'list'},[1,2,3]]}", CTX, "false");
}

static void text_is_ordered_by_utf16_units(void **state)
{
    (void)state;
    /* U+1D4B3 is written with surrogates in UTF-16, which sort below U+E000. */
    assert_gives("{'<':[{'var':'a'},{'var':'b'}]}", "{'a':'\xF0\x9D\x92\xB3','b':'\xEE\x80\x80'}", "true");
    assert_gives("{'<':[{'var':'a'},{'var':'b'}]}", "{'a':'\xC3\xA9','b':'\xEE\x80\x80'}", "true");
    assert_gives("{'<':[{'var':'a'},{'var':'b'}]}", "{'a':'a','b':'ab'}", "true");
}

static void arithmetic_takes_numbers_and_text_that_reads_as_numbers(void **state)
{
    (void)state;
    assert_gives("{'+':[{'var':'n'},{'var':'t'},'1e1']}", CTX, "20");
    assert_gives("{'+':{'var':'list'}}", CTX, "6");
    assert_gives("{'+':[]}", CTX, "0");
    assert_gives("{'+':['3.14']}", CTX, "3.14");
    assert_gives("{'-':[{'var':'n'}]}", CTX, "-5");
    assert_gives("{'-':[{'var':'n'},7]}", CTX, "-2");
    assert_gives("{'*':[{'var':'n'},2,0.5]}", CTX, "5");
    assert_gives("{'/':[{'var':'n'},2]}", CTX, "2.5");
    assert_gives("{'/':[{'var':'n'}]}", CTX, "0.2");
    assert_gives("{'%':[{'var':'n'},3]}", CTX, "2");
    assert_gives("{'%':[-5,{'var':'list.2'}]}", CTX, "-2");
    assert_gives("{'max':[1,{'var':'n'},3]}", CTX, "5");
    assert_gives("{'min':{'var':'list'}}", CTX, "1");
    assert_gives("{'+':[{'var':'none'},{'var':'yes'}]}", CTX, "1");
}

static void arithmetic_without_a_result_fails(void **state)
{
    (void)state;
    assert_gives("{'+':[{'var':'name'},1]}", CTX, "failed");
    assert_gives("{'+':[{'var':'list'},1]}", CTX, "failed");
    assert_gives("{'/':[{'var':'n'},0]}", CTX, "failed");
    assert_gives("{'/':[1,{'var':'none'}]}", CTX, "failed");
    assert_gives("{'%':[{'var':'n'},0]}", CTX, "failed");
    assert_gives("{'max':[{'var':'t'}]}", CTX, "failed");
    assert_gives("{'max':{'var':'empty'}}", CTX, "failed");
}

static void cat_joins_what_is_not_null(void **state)
{
    (void)state;
    assert_gives("{'cat':['a',{'var':'n'},{'var':'none'},{'var':'yes'}]}", CTX, "'a5true'");
    assert_gives("{'cat':[{'var':'list'},'!']}", CTX, "'1,2,3!'");
    assert_gives("{'cat':[{'var':'o'},'']}", CTX, "'[object Object]'");
}

static void numbers_become_text_as_in_javascript(void **state)
{
    (void)state;
    assert_gives("{'cat':[{'var':'v'},'']}", "{'v':1.0}", "'1'");
    assert_gives("{'cat':[{'var':'v'},'']}", "{'v':0.1}", "'0.1'");
    assert_gives("{'cat':[{'var':'v'},'']}", "{'v':-2.50}", "'-2.5'");
    assert_gives("{'cat':[{'var':'v'},'']}", "{'v':1e21}", "'1e+21'");
    assert_gives("{'cat':[{'var':'v'},'']}", "{'v':123456789012345680000}", "'123456789012345680000'");
    assert_gives("{'cat':[{'var':'v'},'']}", "{'v':0.000001}", "'0.000001'");
    assert_gives("{'cat':[{'var':'v'},'']}", "{'v':1.5e-7}", "'1.5e-7'");
    assert_gives("{'cat':[{'var':'v'},'']}", "{'v':-0.0}", "'0'");
}

static void substr_counts_utf16_units_from_either_end(void **state)
{
    (void)state;
    assert_gives("{'substr':[{'var':'s'},4]}", "{'s':'jsonlogic'}", "'logic'");
    assert_gives("{'substr':[{'var':'s'},-5]}", "{'s':'jsonlogic'}", "'logic'");
    assert_gives("{'substr':[{'var':'s'},1,3]}", "{'s':'jsonlogic'}", "'son'");
    assert_gives("{'substr':[{'var':'s'},4,-2]}", "{'s':'jsonlogic'}", "'log'");
    assert_gives("{'substr':[{'var':'s'},0,-20]}", "{'s':'jsonlogic'}", "''");
    assert_gives("{'substr':[{'var':'s'},1,1]}", "{'s':'\xE6\x97\xA5\xE6\x9C\xAC'}", "'\xE6\x9C\xAC'");
    assert_gives("{'substr':[{'var':'s'},2]}", "{'s':'\xF0\x9D\x92\xB3z'}", "'z'");
    assert_gives("{'substr':[{'var':'s'},99]}", "{'s':'a'}", "''");
    assert_gives("{'substr':[{'var':'s'},1]}", "{'s':5}", "failed");
}

static void in_looks_into_lists_and_text(void **state)
{
    (void)state;
    assert_gives("{'in':[{'var':'name'},['bob','jane']]}", CTX, "true");
    assert_gives("{'in':['5',[5]]}", "{}", "false");
    assert_gives("{'in':['an',{'var':'name'}]}", CTX, "true");
    assert_gives("{'in':[2,{'var':'list'}]}", CTX, "true");
    assert_gives("{'in':['x',{'var':'none'}]}", CTX, "false");
    assert_gives("{'in':['x',{'var':'empty'}]}", CTX, "false");
    assert_gives("{'in':[null,[1,null]]}", "{}", "true");
    assert_gives("{'in':['x',{'var':'n'}]}", CTX, "failed");
    assert_gives("{'in':['x',{'var':'o'}]}", CTX, "failed");
}

static void iterations_see_the_item_alone(void **state)
{
    (void)state;
    assert_gives("{'map':[{'var':'list'},{'*':[{'var':''},2]}]}", CTX, "[2,4,6]");
    assert_gives("{'map':[{'var':'people'},{'var':'name'}]}", "{'people':[{'name':'a'},{}]}", "['a',null]");
    assert_gives("{'filter':[{'var':'list'},{'>':[{'var':''},1]}]}", CTX, "[2,3]");
    assert_gives("{'reduce':[{'var':'list'},{'+':[{'var':'accumulator'},{'var':'current'}]},10]}", CTX, "16");
    assert_gives("{'reduce':[{'var':'empty'},{'var':'current'},'start']}", CTX, "'start'");
    assert_gives("{'all':[{'var':'list'},{'>':[{'var':''},0]}]}", CTX, "true");
    assert_gives("{'some':[{'var':'list'},{'==':[{'var':''},3]}]}", CTX, "true");
    assert_gives("{'none':[{'var':'list'},{'==':[{'var':''},9]}]}", CTX, "true");
    assert_gives("{'map':[{'var':'list'},{'var':'n'}]}", CTX, "[null,null,null]");
    assert_gives("{'some':[{'var':'orgs'},{'some':[{'var':'roles'},{'==':[{'var':''},'admin']}]}]}",
                 "{'orgs':[{'roles':['a']},{'roles':['b','admin']}]}", "true");
}

static void of_nothing_nothing_holds_for_all(void **state)
{
    (void)state;
    assert_gives("{'all':[{'var':'empty'},true]}", CTX, "false");
    assert_gives("{'all':[{'var':'none'},true]}", CTX, "false");
    assert_gives("{'some':[{'var':'none'},true]}", CTX, "false");
    assert_gives("{'none':[{'var':'none'},true]}", CTX, "true");
    assert_gives("{'all':[{'var':'name'},true]}", CTX, "failed");
    assert_gives("{'reduce':[{'var':'empty'},{'var':'current'}]}", CTX, "failed");
}

static void flagds_operators_work_inside_an_iteration(void **state)
{
    (void)state;
    assert_gives("{'some':[{'var':'words'},{'starts_with':[{'var':''},'y']}]}", CTX, "true");
}

static void merge_flattens_one_level(void **state)
{
    (void)state;
    assert_gives("{'merge':[{'var':'list'},4,[[5]]]}", CTX, "[1,2,3,4,[5]]");
    assert_gives("{'merge':{'var':'n'}}", CTX, "[5]");
}

static void missing_names_what_is_not_there(void **state)
{
    (void)state;
    assert_gives("{'missing':['n','x','o.a','o.z','none']}", CTX, "['x','o.z']");
    assert_gives("{'missing':{'var':'words'}}", CTX, "['x','y']");
    assert_gives("{'missing_some':[1,['x','n']]}", CTX, "[]");
    assert_gives("{'missing_some':[2,['x','n']]}", CTX, "['x']");
}

static void starts_with_and_ends_with_give_null_for_what_is_no_text(void **state)
{
    (void)state;
    assert_gives("{'starts_with':[{'var':'name'},'ja']}", CTX, "true");
    assert_gives("{'ends_with':[{'var':'name'},'ja']}", CTX, "false");
    assert_gives("{'ends_with':[{'var':'name'},'']}", CTX, "true");
    assert_gives("{'starts_with':[{'var':'n'},'5']}", CTX, "null");
    assert_gives("{'starts_with':['abc']}", CTX, "null");
    assert_gives("{'ends_with':['a','b','c']}", CTX, "null");
}

static void what_a_reduce_piles_up_has_bounds(void **state)
{
    (void)state;
    assert_gives("{'reduce':[{'var':'list'},[{'var':'accumulator'}],0]}", CTX, "failed");
    /* Doubling a text for each of 40 items would take a terabyte. */
    char *context = repeated("{'many':[0", ",0", 40, "]}");
    assert_gives("{'reduce':[{'var':'many'},{'cat':[{'var':'accumulator'},{'var':'accumulator'}]},'x']}",
                 context, "failed");
    assert_gives("{'reduce':[{'var':'many'},{'merge':[{'var':'accumulator'},{'var':'accumulator'}]},[1]]}",
                 context, "failed");
    fs_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(var_reads_paths_indexes_and_defaults),
        cmocka_unit_test(flagds_own_variables_are_key_and_second),
        cmocka_unit_test(if_takes_the_first_branch_that_holds),
        cmocka_unit_test(truthiness_is_jsonlogics),
        cmocka_unit_test(and_and_or_give_the_deciding_operand),
        cmocka_unit_test(comparisons_take_text_with_text_and_numbers_otherwise),
        cmocka_unit_test(comparing_what_has_no_order_fails),
        cmocka_unit_test(text_is_ordered_by_utf16_units),
        cmocka_unit_test(arithmetic_takes_numbers_and_text_that_reads_as_numbers),
        cmocka_unit_test(arithmetic_without_a_result_fails),
        cmocka_unit_test(cat_joins_what_is_not_null),
        cmocka_unit_test(numbers_become_text_as_in_javascript),
        cmocka_unit_test(substr_counts_utf16_units_from_either_end),
        cmocka_unit_test(in_looks_into_lists_and_text),
        cmocka_unit_test(iterations_see_the_item_alone),
        cmocka_unit_test(of_nothing_nothing_holds_for_all),
        cmocka_unit_test(flagds_operators_work_inside_an_iteration),
        cmocka_unit_test(merge_flattens_one_level),
        cmocka_unit_test(missing_names_what_is_not_there),
        cmocka_unit_test(starts_with_and_ends_with_give_null_for_what_is_no_text),
        cmocka_unit_test(what_a_reduce_piles_up_has_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
