//! The operations: what they return, in which order and how much of it, and what they refuse.

mod put;

use super::*;

fn times(result: &Value) -> Vec<i64> {
    result["Timestamps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|time| time.as_i64().or(time.as_f64().map(|it| it as i64)).unwrap())
        .collect()
}

#[test]
fn the_start_is_inclusive_the_end_exclusive_and_the_newest_point_first() {
    let mut world = MetricBench::good(1);
    world.minutes(10);
    let mut request = world.request(
        3,
        vec![world.query("q", Some("blue"), "RequestCount", "Sum")],
    );
    let start = world.start / 1000;
    let first = world.ask(&request);

    assert_eq!(
        times(&first["MetricDataResults"][0]),
        [start + 120, start + 60, start]
    );
    assert_eq!(first["MetricDataResults"][0]["StatusCode"], "Complete");
    assert_eq!(first["MetricDataResults"][0]["Label"], "RequestCount");

    request["ScanBy"] = json!("TimestampAscending");

    // The start counts from the beginning of its minute.
    request["StartTime"] = json!(start + 59);
    assert_eq!(
        times(&world.ask(&request)["MetricDataResults"][0]),
        [start, start + 60, start + 120]
    );

    request["EndTime"] = json!(start + 121);
    assert_eq!(
        times(&world.ask(&request)["MetricDataResults"][0]),
        [start, start + 60, start + 120]
    );
}

#[test]
fn a_longer_period_is_computed_from_all_samples() {
    let mut world = MetricBench::good(2);
    world.minutes(20);
    let mut query = world.query("q", Some("blue"), "TargetResponseTime", "SampleCount");
    query["MetricStat"]["Period"] = json!(300);
    query["Label"] = json!("requests");
    let base = world.start - world.start.rem_euclid(5 * MINUTE);
    let mut request = world.request(10, vec![query]);
    (request["StartTime"], request["EndTime"]) =
        (json!(base / 1000 + 300), json!(base / 1000 + 600));

    let answer = world.ask(&request);
    assert_eq!(answer["MetricDataResults"][0]["Label"], "requests");

    let minutes = world.points(20, Some("blue"), "TargetResponseTime", "SampleCount");
    let from = (base - world.start) / MINUTE + 5;
    let sum: f64 = (from..from + 5)
        .filter_map(|minute| minutes.get(&minute))
        .sum();
    assert_eq!(answer["MetricDataResults"][0]["Values"], json!([sum]));
}

/// The points of each query by its id.
type PointsById = BTreeMap<String, Points>;

/// Adds a page of at most seven points to those before it.
fn add_page(page: &Value, start: Millis, whole: &PointsById, parts: &mut PointsById) {
    let results = page["MetricDataResults"].as_array().unwrap();
    let count: usize = results
        .iter()
        .map(|result| result["Values"].as_array().unwrap().len())
        .sum();

    assert!(count <= 7);

    for result in results {
        let known = parts.entry(text(&result["Id"])).or_default();
        let fresh = points(result, start);
        assert!(
            fresh.keys().all(|minute| !known.contains_key(minute)),
            "a point comes once"
        );

        known.extend(fresh);
        let is_whole = known.len() == whole[&text(&result["Id"])].len();
        assert_eq!(
            result["StatusCode"],
            if is_whole { "Complete" } else { "PartialData" }
        );
    }
}

#[test]
fn pages_have_the_requested_length_and_together_are_the_whole() {
    for seed in 0..6 {
        let mut world = MetricBench::good(seed);
        world.minutes(10);
        let metrics = [
            "RequestCount",
            "HTTPCode_Target_2XX_Count",
            "HTTPCode_Target_4XX_Count",
        ];
        let queries: Vec<Value> = metrics
            .iter()
            .zip(["a", "b", "c"])
            .map(|(name, id)| world.query(id, Some("blue"), name, "Sum"))
            .collect();
        let mut request = world.request(10, queries);
        let whole = world.ask(&request);
        let whole: PointsById = whole["MetricDataResults"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| (text(&it["Id"]), points(it, world.start)))
            .collect();

        request["MaxDatapoints"] = json!(7);
        let (mut parts, mut pages) = (PointsById::new(), 0);

        loop {
            let page = world.ask(&request);
            add_page(&page, world.start, &whole, &mut parts);
            pages += 1;
            match page.get("NextToken") {
                Some(token) => request["NextToken"] = token.clone(),
                None => break,
            }
        }
        assert_eq!((parts, pages), (whole, 5), "29 or 30 points");

        world.aws.cloudwatch.faults.most_points = Some(1);
        request.as_object_mut().unwrap().remove("NextToken");
        assert!(
            world.ask(&request)["NextToken"].is_string(),
            "fewer than requested"
        );
    }
}

#[test]
fn whether_a_page_names_queries_that_it_has_not_come_to_differs_by_seed() {
    let listed = |seed: u64| {
        let mut world = MetricBench::good(seed);
        world.minutes(5);
        let queries = ["a", "b"]
            .map(|id| world.query(id, Some("blue"), "RequestCount", "Sum"))
            .to_vec();
        let mut request = world.request(5, queries);
        request["MaxDatapoints"] = json!(2);

        world.ask(&request)["MetricDataResults"]
            .as_array()
            .unwrap()
            .len()
    };
    let seen: Vec<usize> = (0..12).map(listed).collect();

    assert!(seen.contains(&1) && seen.contains(&2), "{seen:?}");
}

#[test]
fn whether_a_count_of_nothing_is_a_point_differs_by_seed() {
    let has_points = |seed: u64| {
        let mut world = MetricBench::good(seed);
        world.minutes(5);
        let points = world.points(5, Some("blue"), "TargetResponseTime", "TC(1000:)");
        assert!(points.values().all(|count| *count == 0.0));
        !points.is_empty()
    };
    let seen: Vec<bool> = (0..12).map(has_points).collect();

    assert!(seen.contains(&true) && seen.contains(&false), "{seen:?}");
}

#[test]
fn a_query_may_return_no_data_and_unknown_metrics_have_none() {
    let mut world = MetricBench::good(3);
    world.minutes(5);
    let mut quiet = world.query("quiet", Some("blue"), "RequestCount", "Sum");
    quiet["ReturnData"] = json!(false);
    let unknown = json!({
        "Id": "unknown",
        "MetricStat": {
            "Metric": {"Namespace": "AWS/ApplicationELB", "MetricName": "RequestCount"},
            "Period": 60, "Stat": "Sum",
        },
    });
    let mut wrong_unit = world.query("unit", Some("blue"), "RequestCount", "Sum");
    wrong_unit["MetricStat"]["Unit"] = json!("Seconds");

    let request = world.request(5, vec![quiet, unknown, wrong_unit]);
    let answer = world.ask(&request);

    for (result, id) in answer["MetricDataResults"]
        .as_array()
        .unwrap()
        .iter()
        .zip(["unknown", "unit"])
    {
        assert_eq!(
            (&result["Id"], &result["Values"], &result["StatusCode"]),
            (&json!(id), &json!([]), &json!("Complete"))
        );
    }
}

/// The error for a request with these queries.
fn refused_queries(world: &mut MetricBench, queries: Vec<Value>) -> String {
    let request = world.request(1, queries);
    refused(world, "GetMetricData", &request)
}

#[test]
fn wrong_queries_are_refused_in_the_words_of_the_service() {
    let mut world = MetricBench::good(4);
    let good = world.query("q", Some("blue"), "RequestCount", "Sum");
    let with = |member: &str, value: Value| {
        let mut query = good.clone();
        query["MetricStat"][member] = value;
        query
    };

    assert_eq!(
        refused_queries(
            &mut world,
            vec![with("Stat", json!("None")), with("Stat", json!("p200"))]
        ),
        "ValidationError: The value None for parameter MetricDataQueries.member.1.MetricStat.Stat \
         is not a valid statistic.\nThe values for parameter id in MetricDataQueries are not \
         unique.\nThe value p200 for parameter MetricDataQueries.member.2.MetricStat.Stat is not \
         a valid statistic.\n"
    );

    let many = (0..501)
        .map(|number| world.query(&format!("q{number}"), Some("blue"), "RequestCount", "Sum"))
        .collect();
    assert_eq!(
        refused_queries(&mut world, many),
        "ValidationError: The collection MetricDataQueries must not have a size greater than 500.\n"
    );
    assert!(
        refused_queries(&mut world, vec![with("Period", json!(61))])
            .contains("Period must be 1, 5, 10, 20, 30 or a multiple of 60")
    );
    assert!(
        refused_queries(&mut world, vec![json!({"Id": "e", "Expression": "a / b"})])
            .contains("does not serve metric math")
    );
    assert!(
        refused_queries(&mut world, vec![with("Stat", json!("tm90"))])
            .contains("does not serve the statistic tm90")
    );

    let mut upper = good;
    upper["Id"] = json!("Q");
    assert_eq!(
        refused_queries(&mut world, vec![upper]),
        "ValidationError: The value Q for parameter MetricDataQueries.member.1.Id is not matching \
         the expected pattern ^[a-z][a-zA-Z0-9_]*$.\n"
    );
}

#[test]
fn absent_members_wrong_times_and_unknown_tokens_are_refused() {
    let mut world = MetricBench::good(4);
    assert_eq!(
        refused(&mut world, "GetMetricData", &json!({})),
        "ValidationError: The parameter MetricDataQueries is required.\nThe parameter StartTime \
         is required.\nThe parameter EndTime is required.\n"
    );

    let query = world.query("q", Some("blue"), "RequestCount", "Sum");
    let mut request = world.request(1, vec![query]);
    request["NextToken"] = json!("nonsense");
    assert!(refused(&mut world, "GetMetricData", &request).starts_with("InvalidNextToken"));

    request["EndTime"] = request["StartTime"].clone();
    assert!(
        refused(&mut world, "GetMetricData", &request)
            .contains("The parameter StartTime must not equal parameter EndTime.")
    );
}
