/* SPDX-License-Identifier: Apache-2.0 */
/* Compiling rules: errors that point, what a rule is found to read, time, $ref, templates, no allocation. */
#include <stdlib.h>
#include "rule_support.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define FS_SANITIZED
#endif
#endif
#if !defined(FS_SANITIZED) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define FS_COUNTS_ALLOCATIONS
static size_t allocations;

/* Counts what the program under test asks of the heap; glibc calls these instead of its own. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    allocations++;
    return __libc_realloc(old, size);
}

static void usual_rules_run_without_allocation(void **state)
{
    static const char *const rules[] = {
        ("{'if':[{'and':[{'ends_with':[{'var':'email'},'@example.com']},{'in':[{'var':'plan'},['pro','team']]"
         "}"
         "]},'on','off']}"),
        "{'==':[{'var':'facts.tier'},'gold']}",
        "{'<=':[10,{'var':['age',18]},'99']}",
        "{'fractional':[['a',50],['b',50]]}",
        "{'fractional':[{'var':'email'},['a',50],['b',50]]}",
        "{'sem_ver':[{'var':'version'},'>=','1.2.0']}",
        "{'some':[{'var':'roles'},{'===':[{'var':''},'admin']}]}",
        "{'!':{'var':'decision.allowed'}}",
        "{'<':[{'var':'$flagd.timestamp'},1764000001]}",
        "{'+':[{'var':'age'},1]}",
    };
    (void)state;
    json_t *context =
        json_of("{'email':'jane@example.com','plan':'pro','age':30,'targetingKey':'jane','version':'1.2.3',"
                "'roles':['user','admin']}");
    json_t *facts = json_of("{'tier':'gold'}"),
           *decisions = json_of("{'allowed':true,'value':true,'state':'allowed'}");
    struct fs_scope scope = {context, facts, decisions, "flag", FS_TEST_WALL};
    struct fs_arena arena;
    fs_arena_init(&arena);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        size_t before = allocations;
        struct fs_rule *rule = rule_of(rules[i]);
        assert_true(allocations > before);
        before = allocations;
        struct fs_value value = fs_rule_run(rule, &scope, &arena);
        assert_int_equal(allocations, before);
        assert_int_not_equal(value.kind, FS_FAILED);
        fs_rule_destroy(rule);
    }
    assert_int_equal(arena.used, 0);
    fs_arena_finish(&arena);
    json_decref(context);
    json_decref(facts);
    json_decref(decisions);
}
#endif /* a sanitizer brings its own heap */

static void an_unknown_operator_is_an_error_with_a_suggestion(void **state)
{
    (void)state;
    assert_string_equal(error_with("{'if':[{'fractionl':[]},1,2]}", NULL),
                        "/if/0/fractionl: unknown operator \"fractionl\"; did you mean \"fractional\"?");
    assert_string_equal(error_with("{'quux':1}", NULL), "/quux: unknown operator \"quux\"");
    assert_string_equal(error_with("{'a/b~c':1}", NULL), "/a~1b~0c: unknown operator \"a/b~c\"");
}

static void malformed_rules_are_errors_that_point(void **state)
{
    (void)state;
    assert_non_null(
        strstr(error_with("{'and':[{'var':'a','if':[]}]}", NULL), "/and/0: an object of 2 keys is no rule"));
    assert_non_null(strstr(error_with("{'if':true}", NULL), "/if: \"if\" takes its operands in a list"));
    assert_non_null(
        strstr(error_with("{'==':[1]}", NULL), "/==: \"==\" takes at least 2 operands; there is 1"));
    assert_non_null(strstr(error_with("{'map':[[1]]}", NULL), "/map: "));
    assert_non_null(
        strstr(error_with("{'var':{'cat':['decision.',{'var':'x'}]}}", NULL), "/var: a path to a decision"));
}

static void what_fails_whatever_the_context_is_an_error(void **state)
{
    (void)state;
    assert_non_null(
        strstr(error_with("{'if':[{'var':'a'},{'/':[1,0]},2]}", NULL), "/if/1: this fails whatever"));
    assert_non_null(strstr(error_with("{'+':['x']}", NULL), ": this fails whatever"));
}

static void constant_parts_are_computed_once(void **state)
{
    (void)state;
    struct fs_rule *rule = rule_of("{'map':[[1,2],{'+':[{'var':''},1]}]}");
    struct fs_scope scope = {.wall_ms = 0};
    struct fs_arena arena;
    fs_arena_init(&arena);
    struct fs_value value = fs_rule_run(rule, &scope, &arena);
    assert_int_equal(value.kind, FS_JSON);
    assert_int_equal(arena.used, 0);
    fs_arena_finish(&arena);
    fs_rule_destroy(rule);
}

static void a_rule_nested_without_end_is_refused(void **state)
{
    (void)state;
    char *end = repeated("1", "}", 300, ""), *text = repeated("", "{'!':", 300, end);
    assert_non_null(strstr(error_with(text, NULL), "nested deeper than 100 levels"));
    fs_free(end);
    fs_free(text);
}

static void a_run_that_takes_too_many_steps_fails(void **state)
{
    (void)state;
    /* 200 times 200 times 200. */
    json_t *inner = json_array(), *object = json_object();
    for (int i = 0; i < 200; i++)
        json_array_append_new(inner, json_integer(i));
    json_t *middle = json_array(), *outer = json_array();
    for (int i = 0; i < 200; i++)
        json_array_append(middle, inner);
    for (int i = 0; i < 200; i++)
        json_array_append(outer, middle);
    json_object_set(object, "l", outer);
    struct fs_rule *rule =
        rule_of("{'none':[{'var':'l'},{'some':[{'var':''},{'some':[{'var':''},{'<':[{'var':''},-1]}]}]}]}");
    struct fs_scope scope = {.context = object};
    assert_string_equal(result_in(rule, &scope), "failed");
    fs_rule_destroy(rule);
    json_decref(inner);
    json_decref(middle);
    json_decref(outer);
    json_decref(object);
}

static void references_are_put_in_place(void **state)
{
    (void)state;
    struct fs_rule *rule = rule_with("{'if':[{'$ref':'gold'},'on','off']}",
                                     "{'gold':{'and':[{'$ref':'known'},{'==':[{'var':'tier'},'gold']}]},'"
                                     "known':{'!!':{'var':'targetingKey'}}}");
    json_t *context = json_of("{'targetingKey':'jane','tier':'gold'}");
    struct fs_scope scope = {.context = context};
    assert_string_equal(result_in(rule, &scope), "\"on\"");
    assert_string_equal(fs_rule_variable(rule, 0), "targetingKey");
    assert_string_equal(fs_rule_variable(rule, 1), "tier");
    json_decref(context);
    fs_rule_destroy(rule);
}

static void references_that_lead_nowhere_or_round_are_errors(void **state)
{
    (void)state;
    assert_string_equal(error_with("{'if':[{'$ref':'gold'},1,2]}", "{}"),
                        "/if/0/$ref: there is no evaluator \"gold\" in $evaluators");
    assert_non_null(
        strstr(error_with("{'!':{'$ref':'a'}}", "{'a':{'!':{'$ref':'b'}},'b':{'!':{'$ref':'a'}}}"),
               "/!/$ref: in evaluator"));
    assert_non_null(strstr(error_with("{'!':{'$ref':'a'}}", "{'a':{'iff':[1]}}"),
                           "/!/$ref: in evaluator \"a\": unknown operator \"iff\"; did you mean \"if\"?"));
}

static void names_are_found(void **state)
{
    (void)state;
    struct fs_rule *rule =
        rule_of("{'and':[{'var':'decision.allowed'},{'var':'decision.rbac.state'},{'var':'facts.tier.level'},"
                "{'var':['org.name','x']},{'missing':['facts.risk','email']},"
                "{'some':[{'var':'roles'},{'var':'facts.inner'}]},{'var':{'var':'which'}}]}");
    assert_true(fs_rule_reads_decision(rule));
    assert_false(fs_rule_reads_decision_state(rule));
    assert_string_equal(fs_rule_decision(rule, 0), "");
    assert_string_equal(fs_rule_decision(rule, 1), "rbac");
    assert_null(fs_rule_decision(rule, 2));
    assert_string_equal(fs_rule_fact(rule, 0), "tier");
    assert_string_equal(fs_rule_fact(rule, 1), "risk");
    assert_null(fs_rule_fact(rule, 2));
    assert_string_equal(fs_rule_variable(rule, 0), "org.name");
    assert_string_equal(fs_rule_variable(rule, 1), "email");
    assert_string_equal(fs_rule_variable(rule, 2), "roles");
    assert_string_equal(fs_rule_variable(rule, 3), "*");
    assert_string_equal(fs_rule_variable(rule, 4), "which");
    fs_rule_destroy(rule);
}

static void the_state_of_every_decision_must_be_read(void **state)
{
    (void)state;
    struct fs_rule *one =
        rule_of("{'if':[{'==':[{'var':'decision.state'},'unknown']},'x',{'var':'decision.value'}]}");
    struct fs_rule *two =
        rule_of("{'and':[{'==':[{'var':'decision.a.state'},'allowed']},{'var':'decision.b.allowed'}]}");
    assert_true(fs_rule_reads_decision_state(one));
    assert_false(fs_rule_reads_decision_state(two));
    fs_rule_destroy(one);
    fs_rule_destroy(two);
}

static void a_fractional_without_seed_reads_the_subject(void **state)
{
    (void)state;
    struct fs_rule *rule = rule_of("{'fractional':[['a',1],['b',1]]}");
    assert_string_equal(fs_rule_variable(rule, 0), "targetingKey");
    fs_rule_destroy(rule);
}

static void computed_paths_stay_in_the_context(void **state)
{
    (void)state;
    json_t *context =
        json_of("{'p':'facts.tier','q':'decision.allowed','r':'tier','name':'$flagd.timestamp'}");
    json_t *facts = json_of("{'tier':'gold'}"), *decisions = json_of("{'allowed':true}");
    struct fs_scope scope = {.context = context, .facts = facts, .decisions = decisions};
    struct fs_rule *free =
        rule_of("{'merge':[{'var':{'var':'p'}},{'var':{'var':'q'}},{'var':{'var':'name'}}]}");
    assert_string_equal(result_in(free, &scope), "[null,null,null]");
    assert_null(fs_rule_fact(free, 0));
    struct fs_rule *visible = rule_of("{'var':{'cat':['facts.',{'var':'r'}]}}");
    assert_string_equal(result_in(visible, &scope), "\"gold\"");
    assert_string_equal(fs_rule_fact(visible, 0), "*");
    /* A fact that is not there must not be washed into null. */
    struct fs_rule *absent = rule_of("{'var':{'cat':['facts.',{'var':'p'}]}}");
    assert_string_equal(result_in(absent, &scope), "failed");
    fs_rule_destroy(free);
    fs_rule_destroy(visible);
    fs_rule_destroy(absent);
    json_decref(context);
    json_decref(facts);
    json_decref(decisions);
}

static int64_t next_of(const char *text, const char *context, int64_t wall)
{
    struct fs_rule *rule = rule_of(text);
    json_t *object = json_of(context);
    struct fs_scope scope = {.context = object, .wall_ms = wall};
    struct fs_arena arena;
    fs_arena_init(&arena);
    assert_int_equal(fs_rule_time(rule), FS_TIME_SCHEDULED);
    int64_t next = fs_rule_next_change(rule, &scope, &arena);
    fs_arena_finish(&arena);
    fs_rule_destroy(rule);
    json_decref(object);
    return next;
}

static void a_comparison_with_the_bare_timestamp_is_scheduled_for_its_moment(void **state)
{
    (void)state;
    assert_int_equal(next_of("{'<':[{'var':'$flagd.timestamp'},2000]}", "{}", 1000), 2000000);
    assert_int_equal(next_of("{'>=':[{'var':'$flagd.timestamp'},{'var':'t'}]}", "{'t':2000}", 1000), 2000000);
    assert_int_equal(next_of("{'>':[{'var':'$flagd.timestamp'},2000]}", "{}", 1000), 2001000);
    assert_int_equal(next_of("{'<=':[{'var':'$flagd.timestamp'},2000.5]}", "{}", 1000), 2001000);
    assert_int_equal(next_of("{'<':[{'var':'$flagd.timestamp'},2000.5]}", "{}", 1000), 2001000);
    assert_int_equal(next_of("{'<':[2000,{'var':'$flagd.timestamp'}]}", "{}", 1000), 2001000);
    assert_int_equal(next_of("{'>=':[2000,{'var':'$flagd.timestamp'}]}", "{}", 1000), 2001000);
    assert_int_equal(next_of("{'==':[{'var':'$flagd.timestamp'},2000]}", "{}", 1000), 2000000);
    assert_int_equal(next_of("{'==':[{'var':'$flagd.timestamp'},2000]}", "{}", 2000999), 2001000);
    assert_int_equal(next_of("{'<':[1000,{'var':'$flagd.timestamp'},2000]}", "{}", 1500000), 2000000);
}

static void what_time_will_not_change_any_more_has_no_moment(void **state)
{
    (void)state;
    assert_true(next_of("{'<':[{'var':'$flagd.timestamp'},2000]}", "{}", 2000000) == INT64_MAX);
    assert_true(next_of("{'<':[{'var':'$flagd.timestamp'},{'var':'t'}]}", "{'t':'soon'}", 0) == INT64_MAX);
    assert_true(next_of("{'<':[{'var':'$flagd.timestamp'},1e300]}", "{}", 0) == INT64_MAX);
    assert_true(next_of("{'==':[{'var':'$flagd.timestamp'},2000.5]}", "{}", 0) == INT64_MAX);
}

/* The schedule holds: at each moment that it names the outcome differs, and at no second between. */
static void nothing_changes_between_the_moments(void **state)
{
    static const char *const rules[] = {
        "{'<':[{'var':'$flagd.timestamp'},105]}",
        ("{'if':[{'<=':[103,{'var':'$flagd.timestamp'},107.5]},'a',{'==':[{'var':'$flagd.timestamp'},110]},'"
         "b'"
         ",'c']}"),
        "{'or':[{'>':[101,{'var':'$flagd.timestamp'}]},{'!==':[{'var':'$flagd.timestamp'},112]}]}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        int64_t next = next_of(rules[i], "{}", 100000);
        struct fs_rule *rule = rule_of(rules[i]);
        struct fs_scope scope = {.wall_ms = 100000};
        char before[4096];
        snprintf(before, sizeof before, "%s", result_in(rule, &scope));
        for (scope.wall_ms = 100100; scope.wall_ms < 120000; scope.wall_ms += 100) {
            if (scope.wall_ms >= next)
                next = next_of(rules[i], "{}", scope.wall_ms);
            else
                assert_string_equal(result_in(rule, &scope), before);
            snprintf(before, sizeof before, "%s", result_in(rule, &scope));
        }
        fs_rule_destroy(rule);
    }
}

static enum fs_rule_time time_of(const char *text)
{
    struct fs_rule *rule = rule_of(text);
    enum fs_rule_time time = fs_rule_time(rule);
    fs_rule_destroy(rule);
    return time;
}

static void any_other_use_of_time_is_each_second(void **state)
{
    (void)state;
    assert_int_equal(time_of("{'var':'$flagd.timestamp'}"), FS_TIME_EACH_SECOND);
    assert_int_equal(time_of("{'<':[{'%':[{'var':'$flagd.timestamp'},60]},30]}"), FS_TIME_EACH_SECOND);
    assert_int_equal(time_of("{'<':[{'var':'$flagd.timestamp'},{'var':'$flagd.timestamp'}]}"),
                     FS_TIME_EACH_SECOND);
    assert_int_equal(time_of("{'fractional':[['a',{'var':'$flagd.timestamp'}]]}"), FS_TIME_EACH_SECOND);
    assert_int_equal(time_of("{'if':[{'<':[{'var':'$flagd.timestamp'},5]},1,2]}"), FS_TIME_SCHEDULED);
    assert_int_equal(time_of("{'var':'$flagd.flagKey'}"), FS_TIME_NONE);
    assert_int_equal(time_of("{'some':[{'var':'l'},{'<':[{'var':'$flagd.timestamp'},5]}]}"), FS_TIME_NONE);
}

static void trace_of(const char *text, const char *context, const char *expected)
{
    struct fs_rule *rule = rule_with(text, "{'r':{'if':[true,1,2]}}");
    json_t *object = json_of(context);
    struct fs_scope scope = {.context = object};
    struct fs_arena arena;
    char pointer[256];
    fs_arena_init(&arena);
    fs_rule_trace(rule, &scope, &arena, pointer);
    assert_string_equal(pointer, expected);
    fs_arena_finish(&arena);
    json_decref(object);
    fs_rule_destroy(rule);
}

static void a_trace_points_at_the_branch_that_decided(void **state)
{
    (void)state;
    trace_of("{'if':[{'var':'a'},'x',{'var':'b'},'y','z']}", "{'b':1}", "/if/3");
    trace_of("{'if':[{'var':'a'},'x','z']}", "{}", "/if/2");
    trace_of("{'if':[{'var':'a'},{'or':[{'var':'b'},{'var':'c'}]},'z']}", "{'a':1,'c':1}", "/if/1/or/1");
    trace_of("{'and':[{'var':'a'},{'var':'b'}]}", "{'a':0}", "/and/0");
    trace_of("{'if':[{'var':'a'},'x']}", "{}", "");
    trace_of("{'if':[{'var':'a'},{'$ref':'r'},1]}", "{'a':1}", "/if/1");
    trace_of("{'var':'a'}", "{}", "");
}

static const char *built(const char *text, const char *context)
{
    static char out[1024];
    struct fs_rule_error err;
    struct fs_arena arena;
    const char *why = "";
    json_t *logic = json_of(text), *object = json_of(context);
    struct fs_rule *rule = fs_rule_compile_template(logic, NULL, &err);
    if (!rule)
        fail_msg("%s: %s", err.pointer, err.text);
    struct fs_scope scope = {.context = object};
    fs_arena_init(&arena);
    json_t *value = fs_rule_run_json(rule, &scope, &arena, &why);
    char *canonical = value ? fs_json_canonical_text(value, 1000, NULL) : fs_strdup(why);
    snprintf(out, sizeof out, "%s", canonical);
    fs_free(canonical);
    json_decref(value);
    fs_arena_finish(&arena);
    fs_rule_destroy(rule);
    json_decref(logic);
    json_decref(object);
    return out;
}

static void a_template_builds_objects_and_lists_member_by_member(void **state)
{
    (void)state;
    assert_string_equal(
        built("{'user':{'var':'targetingKey'},'action':'export','tags':[{'var':'a'},{'deep':{'var':'b'}}]}",
              "{'targetingKey':'jane','a':1,'b':[2]}"),
        "{\"action\":\"export\",\"tags\":[1,{\"deep\":[2]}],\"user\":\"jane\"}");
    assert_string_equal(built("{'user':{'var':'targetingKey'}}", "{'targetingKey':'jane'}"),
                        "{\"user\":\"jane\"}");
    assert_string_equal(built("{'var':'o'}", "{'o':{'x':[]}}"), "{\"x\":[]}");
    assert_string_equal(built("{}", "{}"), "{}");
    assert_string_equal(built("{'n':{'+':[{'var':'a'},1]}}", "{'a':'x'}"),
                        "arithmetic with something that is no number");
}

static void equal_rules_have_equal_hashes(void **state)
{
    (void)state;
    struct fs_rule *a = rule_with("{'!':{'$ref':'r'}}", "{'r':{'var':'a'}}");
    struct fs_rule *b = rule_with("{'!':{'$ref':'r'}}", "{'r':{'var':'a'},'other':1}");
    struct fs_rule *c = rule_with("{'!':{'$ref':'r'}}", "{'r':{'var':'b'}}");
    struct fs_sha256 x = fs_rule_hash(a), y = fs_rule_hash(b), z = fs_rule_hash(c);
    assert_true(fs_sha256_equal(&x, &y));
    assert_false(fs_sha256_equal(&x, &z));
    fs_rule_destroy(a);
    fs_rule_destroy(b);
    fs_rule_destroy(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifdef FS_COUNTS_ALLOCATIONS
        cmocka_unit_test(usual_rules_run_without_allocation),
#endif
        cmocka_unit_test(an_unknown_operator_is_an_error_with_a_suggestion),
        cmocka_unit_test(malformed_rules_are_errors_that_point),
        cmocka_unit_test(what_fails_whatever_the_context_is_an_error),
        cmocka_unit_test(constant_parts_are_computed_once),
        cmocka_unit_test(a_rule_nested_without_end_is_refused),
        cmocka_unit_test(a_run_that_takes_too_many_steps_fails),
        cmocka_unit_test(references_are_put_in_place),
        cmocka_unit_test(references_that_lead_nowhere_or_round_are_errors),
        cmocka_unit_test(names_are_found),
        cmocka_unit_test(the_state_of_every_decision_must_be_read),
        cmocka_unit_test(a_fractional_without_seed_reads_the_subject),
        cmocka_unit_test(computed_paths_stay_in_the_context),
        cmocka_unit_test(a_comparison_with_the_bare_timestamp_is_scheduled_for_its_moment),
        cmocka_unit_test(what_time_will_not_change_any_more_has_no_moment),
        cmocka_unit_test(nothing_changes_between_the_moments),
        cmocka_unit_test(any_other_use_of_time_is_each_second),
        cmocka_unit_test(a_trace_points_at_the_branch_that_decided),
        cmocka_unit_test(a_template_builds_objects_and_lists_member_by_member),
        cmocka_unit_test(equal_rules_have_equal_hashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
