# SPDX-License-Identifier: Apache-2.0
# Who may do what: roles grant actions, attributes of the user and of the grant narrow them.
package app.rbac

# A yes or no for one question: {"user": ..., "action": ..., "type": ...}.
default allow := false

allow if {
	not suspended
	some grant in granted
	grant.action == input.action
	grant.type == input.type
	in_reach(grant)
}

granted contains grant if {
	some role in data.users[input.user].roles
	some grant in data.roles[role]
}

suspended if data.users[input.user].suspended

# A grant without countries counts everywhere.
in_reach(grant) if not grant.countries
in_reach(grant) if data.users[input.user].country in grant.countries

# The most that a user may approve, over all roles: a decision that is a number.
default limit := 0

limit := max([data.limits[role] | some role in data.users[input.user].roles]) if {
	not suspended
	some role in data.users[input.user].roles
	data.limits[role]
}

# Everybody in the US: a rule that lists the users, the form that OPToggles knew.
us_users contains user if {
	some user, profile in data.users
	profile.country == "US"
	not profile.suspended
}
