//! The C side: the functions of the standard, and the only unsafe code of the workspace.
//!
//! `fence` makes every function: nothing unwinds into C, and nothing works before C_Initialize. `pointer` turns
//! each raw pointer into something that safe code can hold. The rest is one file per chapter of the standard;
//! a function there reads its arguments, calls safe code, and writes the answer.
#![allow(non_snake_case, reason = "functions and arguments have the names of the standard")]

mod decrypt;
mod digest;
mod encrypt;
mod fence;
mod function_list;
mod general;
mod interface;
mod key;
mod mechanism;
mod message;
mod object;
mod pointer;
mod random;
mod session;
mod sign;
mod slot_token;
mod unsupported;
mod verify;
