// SPDX-License-Identifier: Apache-2.0

// The stock OpenFeature Go SDK with the stock OFREP provider, driven line by line: JSON in, JSON out.
//
//	ofrep URL [KEY]
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"os"

	"github.com/open-feature/go-sdk-contrib/providers/ofrep"
	"github.com/open-feature/go-sdk/openfeature"
)

type question struct {
	Type     string         `json:"type"`
	Flag     string         `json:"flag"`
	Fallback any            `json:"fallback"`
	Context  map[string]any `json:"context"`
}

func main() {
	options := []ofrep.Option{}
	if len(os.Args) > 2 {
		options = append(options, ofrep.WithBearerToken(os.Args[2]))
	}
	if err := openfeature.SetProviderAndWait(ofrep.NewProvider(os.Args[1], options...)); err != nil {
		panic(err)
	}
	client := openfeature.NewClient("test")
	say := json.NewEncoder(os.Stdout)
	_ = say.Encode(map[string]any{"ready": true})
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var q question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			panic(err)
		}
		key, _ := q.Context["targetingKey"].(string)
		delete(q.Context, "targetingKey")
		_ = say.Encode(answer(client, q, openfeature.NewEvaluationContext(key, q.Context)))
	}
}

func answer(client *openfeature.Client, q question, about openfeature.EvaluationContext) map[string]any {
	var value any
	var details openfeature.EvaluationDetails
	now := context.Background()
	switch q.Type {
	case "boolean":
		d, _ := client.BooleanValueDetails(now, q.Flag, q.Fallback.(bool), about)
		value, details = d.Value, d.EvaluationDetails
	case "string":
		d, _ := client.StringValueDetails(now, q.Flag, q.Fallback.(string), about)
		value, details = d.Value, d.EvaluationDetails
	case "integer":
		d, _ := client.IntValueDetails(now, q.Flag, int64(q.Fallback.(float64)), about)
		value, details = d.Value, d.EvaluationDetails
	case "float":
		d, _ := client.FloatValueDetails(now, q.Flag, q.Fallback.(float64), about)
		value, details = d.Value, d.EvaluationDetails
	default:
		d, _ := client.ObjectValueDetails(now, q.Flag, q.Fallback, about)
		value, details = d.Value, d.EvaluationDetails
	}
	return map[string]any{"value": value, "reason": string(details.Reason), "variant": details.Variant,
		"errorCode": string(details.ErrorCode)}
}
