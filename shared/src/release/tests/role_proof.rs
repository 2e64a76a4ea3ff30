//! The proof that a rollback may pass the roles of the prior release: its states, and their names
//! in the ledger.

use serde_json::json;

use super::*;

#[test]
fn roles_are_proven_once_and_a_proof_without_a_result_is_made_again() {
    let at = after(90);
    for lease in [open_service(), open_pair()] {
        let with = |proof| with_release(lease.clone(), |release| release.role_proof = proof);
        let [none, needed, begun, made] = [
            None,
            Some(RoleProof::Needed),
            Some(RoleProof::Announced),
            Some(RoleProof::Made),
        ]
        .map(with);

        for before in [&needed, &begun] {
            let next = apply(before, Event::RoleProofAnnounced, at);
            assert_eq!(next, Ok(announced(begun.clone(), at)));
        }
        let next = apply(&begun, Event::RoleProofMade, at);
        assert_eq!(next, Ok(later(made.clone())));

        let refused = |lease: &Lease, event| {
            let refusal = apply(lease, event, at).expect_err("refused");
            assert_eq!(refusal.because, Refusal::NoRoleProof);
        };
        refused(&none, Event::RoleProofAnnounced);
        refused(&made, Event::RoleProofAnnounced);
        for lease in [&none, &needed, &made] {
            refused(lease, Event::RoleProofMade);
        }
    }
}

#[test]
fn the_state_of_a_proof_of_roles_is_stored_by_its_name() {
    for (name, proof) in [
        ("needed", RoleProof::Needed),
        ("announced", RoleProof::Announced),
        ("made", RoleProof::Made),
    ] {
        let lease = with_release(beginning(), |release| release.role_proof = Some(proof));
        let stored = serde_json::to_value(&lease).expect("serializes");
        assert_eq!(stored["release"]["role_proof"], json!(name));
        let read: Lease = serde_json::from_value(stored).expect("reads");
        assert_eq!(read, lease);
    }
}
