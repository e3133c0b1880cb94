//! What AWS refuses, and what never gets there: one sentence that says what to do, and an exit code.

use std::{
    fs,
    net::TcpStream,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{
    atecc, json as report, outcomes,
    stub::{Answer, serve},
};
use crate::{
    cloud::{
        microburst,
        ministack::{Ministack, Policies},
    },
    support::{Chip, Running, ServerCertificate, free_port, run},
};

/// `atecc register` with credentials and no other AWS than the one at `url`.
fn register(chip: &Chip, url: &str) -> Command {
    let mut command = chip.atecc();
    command.args(["register", "--out", "agent", "--endpoint-url", url]).current_dir(chip.folder());
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
    command.env("AWS_REGION", "eu-central-1").env("AWS_EC2_METADATA_DISABLED", "true");
    command.env("HOME", chip.folder()).env_remove("AWS_PROFILE").env_remove("AWS_SESSION_TOKEN");
    for proxy in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(proxy);
    }
    command
}

/// `command` fails with one sentence, which has all of `words` in it.
#[track_caller]
fn says(command: &mut Command, words: &[&str]) {
    let said = run(command).failed_with(1).stderr;
    let sentence = said.lines().last().unwrap_or_default();
    let is_one = said.lines().filter(|line| !line.contains("EMULATOR")).count() == 1;
    assert!(is_one && sentence.starts_with("atecc: "), "{said}");
    for words in words {
        assert!(sentence.contains(words), "{words}: {said}");
    }
}

#[test]
fn what_aws_refuses_is_said_with_what_to_do() {
    let chip = Chip::new();
    let year_ahead = "Sat, 30 Nov 2052 08:00:00 GMT";
    let denied = "User: arn:aws:iam::1:user/pump is not authorized to perform: iot:DescribeEndpoint";
    for (answer, words) in [
        (
            Answer::error(403, "AccessDeniedException", denied),
            &["DescribeEndpoint in eu-central-1", "may not do iot:DescribeEndpoint", "administers"][..],
        ),
        (
            Answer::error(
                403,
                "ExpiredTokenException",
                "The security token included in the request is expired",
            ),
            &["credentials have expired", "aws sso login"],
        ),
        (
            Answer::error(403, "UnrecognizedClientException", "The security token is invalid."),
            &["does not know these credentials", "AWS_ACCESS_KEY_ID"],
        ),
        (
            Answer::error(
                403,
                "InvalidSignatureException",
                "Signature expired: 2026 is now earlier than 2052",
            )
            .at(year_ahead),
            &["this machine's clock is", "days behind that of AWS", "timedatectl"],
        ),
        (
            Answer::error(403, "RequestTimeTooSkewed", "too large").at("Fri, 30 Nov 2012 08:00:00 GMT"),
            &["this machine's clock is", "days ahead of that of AWS", "timedatectl"],
        ),
        (
            Answer::error(403, "InvalidSignatureException", "The signature we calculated does not match"),
            &["secret access key does not belong"],
        ),
        (
            Answer::error(400, "ThrottlingException", "Rate exceeded"),
            &["limits the rate", "run this again", "Service Quotas"],
        ),
        (Answer::error(410, "LimitExceededException", "too many policies"), &["a limit of the account"]),
        (Answer::error(409, "ConflictingResourceUpdateException", "twice"), &["in conflict"]),
        (
            Answer::error(400, "InvalidRequestException", "Bad thing."),
            &["InvalidRequestException", "Bad thing"],
        ),
        (
            Answer::error(503, "ServiceUnavailableException", "busy"),
            &["failure of its own", "run this again"],
        ),
        (
            Answer::page(500),
            &["answers as no AWS IoT control API does", "500", "text/html", "--endpoint-url"],
        ),
        (Answer::page(200), &["answers as no AWS IoT control API does", "login page"]),
    ] {
        says(&mut register(&chip, &serve(answer)), words);
        assert!(!chip.path("agent").exists());
    }
}

#[test]
fn what_never_gets_there_is_said_with_what_to_do() {
    let chip = Chip::new();
    let closed = format!("http://127.0.0.1:{}", free_port());
    says(&mut register(&chip, &closed), &["nobody listens", "firewall"]);
    let nowhere = "https://iot.nowhere-1.invalid";
    says(&mut register(&chip, nowhere), &["iot.nowhere-1.invalid is not found", "region", "network"]);
    let mut command = register(&chip, &closed);
    command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    says(&mut command, &["no credentials", "aws configure"]);
    says(register(&chip, &closed).env_remove("AWS_REGION"), &["no region", "--region"]);
    says(register(&chip, &closed).args(["--region", "eu central"]), &["is no region", "--region"]);
    says(register(&chip, &closed).args(["--profile", "nobody"]), &["profile nobody gives no credentials"]);
    says(
        register(&chip, &closed).args(["--thing", "a-{serial}-{common_name}", "--root", "no.pem"]),
        &["no.pem"],
    );
    let mut command = register(&chip, &closed);
    says(command.args(["--method", "aws-key"]), &["--thing"]);
}

/// TLS finds out before AWS can say it: by a clock that is off by a year no certificate is valid.
#[test]
fn a_clock_that_is_off_by_a_year_shows_in_the_servers_certificate() {
    let (chip, server) = (Chip::new(), ServerCertificate::new());
    let openssl = |line: &str| {
        let mut openssl = Command::new("openssl");
        openssl.args(line.split(' ')).arg(server.key()).current_dir(chip.folder());
        run(&mut openssl).succeeded();
    };
    fs::write(chip.path("names"), "subjectAltName = DNS:localhost\n").unwrap();
    openssl("req -new -subj /CN=localhost -out aws.csr -key");
    // Its last day was yesterday.
    openssl("x509 -req -in aws.csr -days -1 -extfile names -out aws.pem -signkey");
    let (past, url) = serve_tls(&chip.path("aws.pem"), &server.key());
    let words = ["certificate of https://localhost", "so the clock is wrong", "timedatectl"];
    says(register(&chip, &url).env("SSL_CERT_FILE", chip.path("aws.pem")), &words);
    drop(past);
    // One that nobody vouches for is another matter.
    let (_server, url) = serve_tls(&server.certificate(), &server.key());
    let words = ["is not trusted", "ca-certificates"];
    says(register(&chip, &url).env("SSL_CERT_FILE", chip.path("root.pem")), &words);
}

/// A TLS server with this certificate, and its address.
fn serve_tls(certificate: &Path, key: &Path) -> (Running, String) {
    let port = free_port();
    let mut openssl = Command::new("openssl");
    openssl.args(["s_server", "-quiet", "-www", "-accept", &port.to_string()]);
    let running = Running::start(openssl.arg("-cert").arg(certificate).arg("-key").arg(key));
    let deadline = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect(("localhost", port)).is_err() {
        assert!(Instant::now() < deadline, "openssl s_server does not listen");
        thread::sleep(Duration::from_millis(20));
    }
    (running, format!("https://localhost:{port}"))
}

#[test]
fn a_registration_that_ends_half_way_says_what_is_left_and_goes_on_from_there() {
    let (chip, ministack) = (Chip::new(), Ministack::start(Policies::Ignored));
    let rules = json!([
        {
            "service": "iot", "operation": "CreateThing",
            "sequence": { "fail": 1, "pass": 100 }, "error": { "code": "UnauthorizedException", "status": 401 },
        },
        {
            "service": "iot", "operation": "RegisterCertificateWithoutCA",
            "sequence": { "fail": 2, "pass": 100 }, "error": { "code": "ThrottlingException" },
        },
    ]);
    let faulty = microburst::start(&ministack, &rules);
    let register = || atecc(&chip, &faulty, &["register", "--out", "agent"]);
    let said = run(&mut register()).failed_with(1).stderr;
    assert!(said.contains("may not do iot:CreateThing"), "{said}");
    let half = said.lines().last().unwrap();
    assert!(half.contains("half made: certificate ") && half.contains("policy atecc-device"), "{said}");
    assert!(half.contains("Run the same command again"), "{said}");
    assert!(!chip.path("agent").exists());
    // Twice throttled and yet registered; the rest is made now.
    let finished = report(&mut register());
    assert_eq!(outcomes(&finished), ["found", "found", "found", "found", "made", "made", "made"]);

    // What cannot be written is said before anything is registered.
    fs::create_dir(chip.path("locked")).unwrap();
    fs::write(chip.path("locked/server-ca.pem"), "something else").unwrap();
    let said = run(&mut atecc(&chip, &faulty, &["register", "--out", "locked"])).failed_with(1).stderr;
    assert!(said.contains("locked/server-ca.pem is there and is something else"), "{said}");
}
